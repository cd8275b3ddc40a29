import { inspect } from 'node:util'
import { type AuthorizedClientOptions, createRequestAuthorizer, createTokenManager } from '@tokenward/core'
import { CLAIMS, claimsChallenge, LeasingStore } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { definition, recordEvents, type Scripted, ScriptedEndpoint, scripted, TestClock } from './support'

const API = 'https://api.example/items'

/** An HTTP client of core, without a network: `call` sends a request to an API that responds with `statuses`, the last one again and again. */
function clientOf(tokens: Scripted['tokens'], options: Partial<AuthorizedClientOptions> = {}) {
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', { baseURL: API, ...options })
  return async (...responses: (200 | Headers)[]) => {
    let authorization = await authorizer.authorize({ method: 'GET', url: API, headers: () => new Headers() })
    const sent: string[] = []
    for (;;) {
      sent.push(authorization.headers.authorization ?? '')
      const response = responses[Math.min(sent.length, responses.length) - 1] as 200 | Headers
      const status = response === 200 ? 200 : 401
      const headers = response === 200 ? new Headers() : response
      const again = authorization.isAnswer(status) ? undefined : await authorization.next({ status, headers }, true)
      if (!again) return { status, sent }
      authorization = again
    }
  }
}

const CHALLENGE = new Headers(claimsChallenge().headers)
const PLAIN = new Headers({ 'www-authenticate': 'Bearer error="invalid_token"' })
const claimsOf = ({ endpoint }: Scripted) => endpoint.requests.map(({ parameters }) => parameters.claims)

test('the claims that an API demands go into the next token request, and into no later one', async () => {
  const setup = scripted()
  const call = clientOf(setup.tokens)
  expect(await call(CHALLENGE, 200)).toEqual({ status: 200, sent: ['Bearer token-1', 'Bearer token-2'] })
  // The new token is in the place of the old one.
  expect((await setup.tokens.getAccessToken('catalog.client')).value).toBe('token-2')
  await setup.tokens.getAccessToken('catalog.client', { forceRenewal: true })
  expect(claimsOf(setup)).toEqual([undefined, CLAIMS, undefined])
})

test('the claims of the definition, such as the capability cp1, stay in the request', async () => {
  const claims = '{"access_token":{"xms_cc":{"values":["cp1"]}}}'
  const setup = scripted({ client: { parameters: { claims, tenant: 'a' } } })
  await clientOf(setup.tokens)(CHALLENGE, 200)
  expect(JSON.parse(claimsOf(setup)[1] ?? '')).toEqual({
    access_token: { nbf: { essential: true, value: '1604106651' }, xms_cc: { values: ['cp1'] } },
  })
  expect(setup.endpoint.requests[1]?.parameters.tenant).toBe('a')
  expect(setup.endpoint.requests[1]?.callerParameters).toEqual({ claims, tenant: 'a' })
})

test('an API that always demands claims: 100 calls each get their 401, and make 2 token requests', async () => {
  const setup = scripted()
  const call = clientOf(setup.tokens)
  for (let turn = 0; turn < 100; turn++) expect((await call(CHALLENGE)).status).toBe(401)
  expect(claimsOf(setup)).toEqual([undefined, CLAIMS])
})

test('100 calls that are challenged at the same time make one token request', async () => {
  const setup = scripted()
  const call = clientOf(setup.tokens)
  await call(200)
  setup.endpoint.latencyMs = 50
  const calls = Promise.all(Array.from({ length: 100 }, () => call(CHALLENGE, 200)))
  await setup.clock.advance(100)
  expect(new Set((await calls).map(({ sent }) => sent.join()))).toEqual(new Set(['Bearer token-1,Bearer token-2']))
  expect(claimsOf(setup)).toEqual([undefined, CLAIMS])
})

test('another call that finds the rejected token first sends the claims, too', async () => {
  const setup = scripted()
  const { tokens } = setup
  const once = clientOf(tokens)
  const token = await tokens.getAccessToken('catalog.client')
  await tokens.rejectAccessToken('catalog.client', token, {}, 'https://api.example', { claims: CLAIMS })
  await once(200)
  expect(claimsOf(setup)).toEqual([undefined, CLAIMS])
})

test('a renewal that began before the challenge is not what the API demands', async () => {
  const setup = scripted()
  const { tokens, endpoint, clock } = setup
  const call = clientOf(tokens)
  await call(200)
  await clock.advance(85_000)
  endpoint.latencyMs = 1_000
  // Starts the renewal ahead.
  await tokens.getAccessToken('catalog.client')
  await clock.advance(100)
  const challenged = call(CHALLENGE, 200)
  await clock.advance(2_500)
  expect(await challenged).toEqual({ status: 200, sent: ['Bearer token-1', 'Bearer token-3'] })
  expect(claimsOf(setup)).toEqual([undefined, undefined, CLAIMS])
})

test('a fleet renews once', async () => {
  const clock = new TestClock()
  const endpoint = new ScriptedEndpoint(clock)
  const store = new LeasingStore(clock.monotonic)
  const start = () =>
    createTokenManager({
      clients: { 'catalog.client': definition, 'invoice.client': definition },
      requester: endpoint,
      clock,
      random: () => 0.5,
      store,
    })
  const calls = Array.from({ length: 8 }, () => clientOf(start()))
  await Promise.all(calls.map((call) => call(200)))
  endpoint.latencyMs = 100
  const challenged = Promise.all(calls.map((call) => call(CHALLENGE, 200)))
  await clock.advance(1_000)
  for (const { status, sent } of await challenged) {
    expect([status, sent]).toEqual([200, ['Bearer token-1', 'Bearer token-2']])
  }
  expect(endpoint.requests.map(({ parameters }) => parameters.claims)).toEqual([undefined, CLAIMS])
})

test.each(['invalid_request', 'invalid_grant', 'unknown_code'])(
  'claims that the server refuses (%s) give the caller its 401, and do not keep other calls from their token',
  async (error) => {
    const setup = scripted()
    const { tokens, endpoint, clock } = setup
    const call = clientOf(tokens)
    await call(200)
    endpoint.respondNext(Object.assign(new Error(), { error, response: Response.json({ error }, { status: 400 }) }))
    expect(await call(CHALLENGE, 200)).toEqual({ status: 401, sent: ['Bearer token-1'] })
    // Even after the token has expired, which is when a failure would be noticed.
    await clock.advance(200_000)
    expect((await call(200)).sent).toEqual(['Bearer token-3'])
    expect(claimsOf(setup)).toEqual([undefined, CLAIMS, undefined])
  },
)

test('claims that cannot be sent, because the token endpoint is down, are sent when it works again', async () => {
  const setup = scripted()
  const { tokens, endpoint, clock } = setup
  await clientOf(tokens)(200)
  const down = new Response('', { status: 503 })
  endpoint.respondAlways(Object.assign(new Error(), { response: down }))
  // Opens the circuit.
  const forced = tokens.getAccessToken('catalog.client', { forceRenewal: true }).catch(() => {})
  await clock.advance(460)
  await forced
  expect(tokens.status().clients['catalog.client']?.circuit).toBe('open')
  expect(await clientOf(tokens)(CHALLENGE, 200)).toEqual({ status: 401, sent: ['Bearer token-1'] })
  endpoint.respondAlways(undefined)
  await clock.advance(5_000)
  await clientOf(tokens)(200)
  expect(claimsOf(setup).at(-1)).toBe(CLAIMS)
})

test('a token that cannot be had any more is requested without the claims at once', async () => {
  const setup = scripted()
  const { tokens, endpoint } = setup
  const call = clientOf(tokens)
  await call(200)
  const refused = { error: 'invalid_request', response: Response.json({ error: 'invalid_request' }, { status: 400 }) }
  endpoint.respondNext(Object.assign(new Error(), refused))
  await call(CHALLENGE, 200)
  // The token is still marked as rejected, so that the next call gets another one.
  expect((await call(200)).sent).toEqual(['Bearer token-3'])
  expect(claimsOf(setup)).toEqual([undefined, CLAIMS, undefined])
})

test.each<[what: string, challenge: string]>([
  ['claims without the error', `Bearer claims="${Buffer.from(CLAIMS).toString('base64')}"`],
  ['another error', `Bearer error="invalid_token", claims="${Buffer.from(CLAIMS).toString('base64')}"`],
  ['another scheme', `Basic error="insufficient_claims", claims="${Buffer.from(CLAIMS).toString('base64')}"`],
  ['no claims', 'Bearer error="insufficient_claims"'],
  ['claims that are no JSON', 'Bearer error="insufficient_claims", claims="e30x"'],
  [
    'large claims',
    claimsChallenge(`{"access_token":{"a":"${'x'.repeat(5_000)}"}}`).headers?.['www-authenticate'] ?? '',
  ],
])('%s: the token is renewed as after every 401, without claims', async (_what, challenge) => {
  const setup = scripted()
  expect((await clientOf(setup.tokens)(new Headers({ 'www-authenticate': challenge }), 200)).status).toBe(200)
  expect(claimsOf(setup)).toEqual([undefined, undefined])
})

test('with claimsChallenges: false the token is renewed without the claims', async () => {
  const setup = scripted()
  await clientOf(setup.tokens, { claimsChallenges: false })(CHALLENGE, 200)
  expect(claimsOf(setup)).toEqual([undefined, undefined])
  expect(() => clientOf(setup.tokens, { claimsChallenges: 'no' as never })).toThrow('claimsChallenges')
})

test('the challenge of a DPoP scheme counts, also behind other challenges and in base64url', async () => {
  const setup = scripted()
  const claims = Buffer.from(CLAIMS).toString('base64url')
  const field = `Negotiate, Basic realm="a, b", DPoP algs="ES256", error="insufficient_claims", claims="${claims}"`
  await clientOf(setup.tokens)(new Headers({ 'www-authenticate': field }), 200)
  expect(claimsOf(setup)).toEqual([undefined, CLAIMS])
})

test('events say why a token was rejected, and hold no claims', async () => {
  const setup = scripted()
  const events = recordEvents(setup.tokens)
  const secret = '{"access_token":{"secret-claim":{"essential":true}}}'
  await clientOf(setup.tokens)(new Headers(claimsChallenge(secret).headers), 200)
  await setup.clock.advance(50_000)
  await clientOf(setup.tokens)(PLAIN, 200)
  await clientOf(setup.tokens)(new Headers({ 'www-authenticate': 'Bearer error="eyJ.x.y"' }), 200)
  const rejected = events.flatMap(({ name, event }) => (name === 'tokenRejected' ? [event] : []))
  expect(rejected.map(({ reason }) => reason)).toEqual(['insufficient_claims', 'invalid_token', undefined])
  expect(inspect([events, setup.tokens.status(), setup.endpoint.requests], { depth: 9 })).not.toContain('secret-claim')
})
