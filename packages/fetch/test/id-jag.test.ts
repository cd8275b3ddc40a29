import { inspect } from 'node:util'
import { createTokenManager, type IdJagOptions, idJag, type TokenRequestError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { CLAIMS, claimsChallenge, SkippableClock, startProvider } from '@tokenward/test-support'
import { decodeJwt, decodeProtectedHeader } from 'jose'
import { expect, onTestFinished, test } from 'vitest'

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const ID_JAG = 'urn:ietf:params:oauth:token-type:id-jag'

interface Setup {
  /** The lifetime of ID-JAGs, in seconds. */
  readonly lifetimeSeconds?: number
  /** The lifetime of ID tokens, in seconds. */
  readonly loginSeconds?: number
  /** The client id that the identity provider puts into ID-JAGs. */
  readonly clientId?: string
  readonly options?: Partial<IdJagOptions>
}

/** An identity provider, an API with its own authorization server that trusts it, and a client of both. */
async function crossApp({ lifetimeSeconds = 300, loginSeconds, clientId = 'at-api', options }: Setup = {}) {
  const idp = await startProvider({
    clients: { wiki: { clientId: 'at-idp', metadata: { grant_types: [EXCHANGE] } } },
    idJag: { lifetimeSeconds, clientIdAt: () => clientId },
  })
  const as = await startProvider({
    clients: { wiki: { clientId: 'at-api', metadata: { grant_types: [BEARER] } } },
    idJag: { trustedIssuers: [idp.issuer] },
  })
  const clock = new SkippableClock()
  const requester = idJag({
    identityProvider: { issuer: idp.issuer, clientId: 'at-idp', clientSecret: 'wiki-secret', fetch: clock.fetch },
    subjectToken: ({ parameters }) => idp.idToken('wiki', parameters.user ?? 'alice', loginSeconds),
    clock,
    ...options,
  })
  const tokens = createTokenManager({
    clients: {
      c: {
        issuer: as.issuer,
        clientId: 'at-api',
        clientSecret: 'wiki-secret',
        scope: 'catalog',
        resource: as.catalog.audience,
        fetch: clock.fetch,
        requester,
      },
    },
    clock,
  })
  onTestFinished(() => tokens.close())
  const api = createFetch(tokens, 'c', { baseURL: as.catalog.baseURL })
  const whoami = async (user?: string) => {
    const response = await api('whoami', user === undefined ? {} : { tokenParameters: { parameters: { user } } })
    return response.ok ? ((await response.json()) as { sub: string; scope: string }) : response.status
  }
  const renew = () => tokens.getAccessToken('c', { forceRenewal: true })
  const failure = (): Promise<TokenRequestError> =>
    tokens.getAccessToken('c').then(
      () => fail(),
      (error) => error,
    )
  const requests = () => [idp.tokenRequests.length, as.tokenRequests.length]
  return { idp, as, clock, tokens, api, whoami, renew, failure, requests }
}

function fail(): never {
  throw new Error('a token was issued')
}

test('an API of another company is called for a user: an ID-JAG of the identity provider, and a token for it', async () => {
  const { idp, as, whoami, requests } = await crossApp()
  expect(await whoami()).toMatchObject({ sub: 'alice', client_id: 'at-api', scope: 'catalog', aud: 'urn:catalog' })
  const { subject_token, ...exchanged } = idp.tokenRequests[0]?.parameters ?? {}
  expect(decodeJwt(String(subject_token))).toMatchObject({ sub: 'alice', aud: 'at-idp' })
  expect(exchanged).toEqual({
    grant_type: EXCHANGE,
    requested_token_type: ID_JAG,
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    audience: as.issuer,
    resource: 'urn:catalog',
    scope: 'catalog',
  })
  const { assertion = '', ...presented } = as.tokenRequests[0]?.parameters ?? {}
  expect(presented).toEqual({ grant_type: BEARER, scope: 'catalog', resource: 'urn:catalog' })
  expect(decodeProtectedHeader(assertion).typ).toBe('oauth-id-jag+jwt')
  expect(decodeJwt(assertion)).toMatchObject({ iss: idp.issuer, aud: as.issuer, client_id: 'at-api', sub: 'alice' })
  // The token is cached as any other.
  await whoami()
  expect(requests()).toEqual([1, 1])
})

test('claims that the API demands go to its own authorization server only, and to no supplier', async () => {
  const seen: unknown[] = []
  const subjectToken: IdJagOptions['subjectToken'] = ({ parameters }) => {
    seen.push(parameters)
    return setup.idp.idToken('wiki', 'alice')
  }
  const setup: Awaited<ReturnType<typeof crossApp>> = await crossApp({ options: { subjectToken, subject: 'alice' } })
  const { idp, as, api, clock } = setup
  await api('whoami')
  // The ID-JAG expires, so that the next token needs another one.
  clock.skip(301_000)
  as.catalog.faults.fail(1, claimsChallenge())
  expect((await api('whoami')).status).toBe(200)
  expect(as.tokenRequests.map(({ parameters }) => parameters.claims)).toEqual([undefined, CLAIMS])
  expect(idp.tokenRequests.map(({ parameters }) => parameters.claims)).toEqual([undefined, undefined])
  expect(seen).toEqual([{}, {}])
})

test('across an expiry and a revocation, and each user with a token of its own', async () => {
  const { as, clock, whoami, requests } = await crossApp()
  await whoami()
  as.revokeIssued()
  expect(await whoami()).toMatchObject({ sub: 'alice' })
  // The ID-JAG lives, and the server takes it again.
  expect(requests()).toEqual([1, 2])
  expect(as.catalog.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  clock.skip(3_601_000)
  expect(await whoami()).toMatchObject({ sub: 'alice' })
  expect(requests()).toEqual([2, 3])
  expect(await whoami('bob')).toMatchObject({ sub: 'bob' })
  expect(await whoami('alice')).toMatchObject({ sub: 'alice' })
  expect(requests()).toEqual([4, 5])
  expect(await whoami('bob')).toMatchObject({ sub: 'bob' })
  expect(requests()).toEqual([4, 5])
})

test('50 callers at once send one request to each server', async () => {
  const { whoami, requests } = await crossApp()
  const users = await Promise.all(Array.from({ length: 50 }, () => whoami()))
  expect(users.every((user) => typeof user === 'object' && user.sub === 'alice')).toBe(true)
  expect(requests()).toEqual([1, 1])
})

test.each([
  ['it expires', { lifetimeSeconds: 300 }, 301_000],
  ['the subject token expires', { lifetimeSeconds: 300, loginSeconds: 60 }, 61_000],
])('an ID-JAG is presented again until %s', async (_when, setup, expiresMs) => {
  const { clock, renew, requests } = await crossApp(setup)
  await renew()
  clock.skip(expiresMs / 2)
  await renew()
  expect(requests()).toEqual([1, 2])
  clock.skip(expiresMs / 2)
  await renew()
  expect(requests()).toEqual([2, 3])
})

test.each([
  ['a moment later', 0],
  // Its renewal is due then, and the clock of the server may be ahead.
  ['near its end', 260_000],
])(
  'an ID-JAG that the server took and refuses %s is replaced within the same token request',
  async (_when, laterMs) => {
    const { idp, as, clock, renew } = await crossApp()
    await renew()
    clock.skip(laterMs)
    const refusal = { status: 400, body: { error: 'invalid_grant', error_description: 'used before' } }
    as.tokenEndpointFaults.fail(1, refusal)
    await renew()
    expect(as.tokenRequests).toHaveLength(3)
    const assertions = as.tokenRequests.map(({ parameters }) => parameters.assertion)
    expect(assertions[1]).toBe(assertions[0])
    expect(assertions[2]).not.toBe(assertions[0])
    expect(idp.tokenRequests.every(({ status }) => status === 200)).toBe(true)
  },
)

test('the error says that the identity provider refused, and the other server is not asked', async () => {
  const { idp, failure, requests } = await crossApp({
    options: { subjectToken: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.x' },
  })
  const error = await failure()
  expect(error).toMatchObject({
    client: 'c',
    error: 'credential_unavailable',
    step: 'supplier',
    url: idp.tokenEndpoint,
    retryable: false,
    cause: { error: 'invalid_grant', status: 400, url: idp.tokenEndpoint },
  })
  expect(error.message).toContain("client 'c'")
  expect(error.message).toContain('the identity provider issued no ID-JAG: invalid_grant (subject_token is refused')
  expect(error.message).toContain(idp.tokenEndpoint)
  expect(requests()).toEqual([1, 0])
})

test("the error says that the API's authorization server refused, and no second ID-JAG is requested", async () => {
  const { as, failure, requests } = await crossApp()
  as.tokenEndpointFaults.fail(9, { status: 400, body: { error: 'invalid_grant', error_description: 'unknown user' } })
  const error = await failure()
  expect(error).toMatchObject({ error: 'invalid_grant', status: 400, step: 'token_request', url: as.tokenEndpoint })
  expect(error.message).toContain("unknown user; the API's authorization server refused the ID-JAG")
  expect(requests()).toEqual([1, 1])
})

test('an outage of the identity provider is no outage of the other server, and calls go on with their token', async () => {
  const { idp, as, clock, tokens, whoami } = await crossApp({ lifetimeSeconds: 60 })
  await whoami()
  idp.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 503 })
  clock.skip(3_590_000)
  expect(await whoami()).toMatchObject({ sub: 'alice' })
  expect(tokens.status().clients.c?.circuit).toBe('closed')
  expect(as.tokenRequests).toHaveLength(1)
  clock.skip(20_000)
  const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
  expect(error).toMatchObject({ error: 'credential_unavailable', cause: { error: 'server_error', status: 503 } })
  idp.tokenEndpointFaults.clear()
  clock.skip(30_000)
  expect(await whoami()).toMatchObject({ sub: 'alice' })
})

const jwt = (header: object, claims: object) =>
  [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
    .concat('.c2ln')

test.each<[string, (issuer: string) => object, string]>([
  ['an access token', () => ({ token_type: 'Bearer' }), "token_type is 'bearer', not N_A"],
  ['another token type', () => ({ issued_token_type: 'urn:x' }), "issued_token_type is 'urn:x'"],
  ['no token type', () => ({ issued_token_type: undefined }), 'issued_token_type is undefined'],
  ['no JWT', () => ({ access_token: 'opaque' }), 'it is no JWT'],
  ['another JWT', () => ({ access_token: jwt({ typ: 'at+jwt' }, {}) }), "typ is 'at+jwt', not oauth-id-jag+jwt"],
  [
    'an ID-JAG for another server',
    () => ({ access_token: jwt({ typ: 'oauth-id-jag+jwt' }, { aud: 'https://other.example' }) }),
    "it is for 'https://other.example', not for",
  ],
  [
    'an ID-JAG for two servers',
    (issuer) => ({ access_token: jwt({ typ: 'oauth-id-jag+jwt' }, { aud: [issuer, 'https://other.example'] }) }),
    'it is for ["http',
  ],
])('%s of the identity provider is not presented to the other server', async (_what, change, problem) => {
  const { idp, as, failure, requests } = await crossApp()
  const body = { access_token: jwt({ typ: 'oauth-id-jag+jwt' }, {}), token_type: 'N_A', issued_token_type: ID_JAG }
  idp.tokenEndpointFaults.fail(1, { status: 200, body: { ...body, ...change(as.issuer) } })
  const error = await failure()
  expect(error).toMatchObject({ error: 'credential_unavailable', cause: { error: 'invalid_response' } })
  expect(error.message).toContain(problem)
  expect(requests()).toEqual([1, 0])
})

test('an ID-JAG for another client id names both ids', async () => {
  const { failure, requests } = await crossApp({ clientId: 'another' })
  expect((await failure()).message).toContain(
    "its client_id is 'another', and at the API's authorization server it is 'at-api'",
  )
  expect(requests()).toEqual([1, 0])
})

test('neither error, status nor events show a credential of either server', async () => {
  const secret = 'a secret of the identity provider'
  const { idp, as, tokens, failure } = await crossApp({ options: { subjectToken: async () => `${secret}.x.y` } })
  const seen: unknown[] = []
  tokens.on('tokenRequestFailed', (event) => seen.push(event))
  idp.tokenEndpointFaults.fail(1, {
    status: 400,
    body: { error: 'invalid_grant', error_description: `no ${secret}.x.y of wiki-secret` },
  })
  const error = await failure()
  seen.push(error, error.message, error.cause, tokens.status(), as.tokenRequests.length)
  const shown = inspect(seen, { depth: 9 })
  expect(shown).toContain('invalid_grant')
  for (const text of [secret, 'wiki-secret']) expect(shown).not.toContain(text)
})

const ECHO = 'the-subject-token.x.y of wiki-secret'
test.each<[string, object]>([
  ['the issued token type', { issued_token_type: ECHO }],
  ['the type of the JWT', { access_token: jwt({ typ: ECHO }, {}) }],
  ['its audience', { access_token: jwt({ typ: 'oauth-id-jag+jwt' }, { aud: ECHO }) }],
  ['its client id', { access_token: jwt({ typ: 'oauth-id-jag+jwt' }, { client_id: { nested: ECHO } }) }],
])('an identity provider that repeats credentials in %s is quoted without them', async (_member, change) => {
  const { idp, failure } = await crossApp({ options: { subjectToken: async () => 'the-subject-token.x.y' } })
  const body = { access_token: jwt({ typ: 'oauth-id-jag+jwt' }, {}), token_type: 'N_A', issued_token_type: ID_JAG }
  idp.tokenEndpointFaults.fail(1, { status: 200, body: { ...body, ...change } })
  const error = await failure()
  expect(error.message).toContain('the response is no ID-JAG')
  const shown = inspect([error, error.message, error.cause], { depth: 9 })
  expect(shown).toContain('[redacted] of [redacted]')
  for (const text of ['the-subject-token', 'wiki-secret']) expect(shown).not.toContain(text)
})

test('a supplier that fails is named, its error is the cause, and nothing is sent', async () => {
  const thrown = new Error('no session')
  const { failure, requests } = await crossApp({ options: { subjectToken: () => Promise.reject(thrown) } })
  const error = await failure()
  expect(error).toMatchObject({ error: 'credential_unavailable', cause: thrown })
  expect(error.message).toContain('the subjectToken supplier failed: Error')
  expect(requests()).toEqual([0, 0])
})

test('a supplier that fails after the user was known: the identity provider is not asked', async () => {
  let calls = 0
  const { failure, requests } = await crossApp({
    options: {
      subject: 'alice',
      subjectToken: async () => (++calls === 1 ? Promise.reject(new Error('no session')) : ''),
    },
  })
  const error = await failure()
  expect(error.message).toContain(
    'the identity provider issued no ID-JAG: credential_unavailable (the subjectToken supplier',
  )
  expect(requests()).toEqual([0, 0])
})

test('what cannot work is a ConfigurationError: a wrong identity provider at once, a missing audience at the first use', async () => {
  expect(() => idJag({ identityProvider: { clientId: 'x' }, subjectToken: 'x' })).toThrow(
    "client 'identityProvider', tokenEndpoint: missing",
  )
  const requester = idJag({
    identityProvider: { issuer: 'https://idp.example', clientId: 'x', clientSecret: 's' },
    subjectToken: 'x',
  })
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'c', clientSecret: 's', requester } },
  })
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({ code: 'invalid_configuration' })
})

test('with a token endpoint and an audience, the identity provider gets the audience as it is', async () => {
  const { idp, as } = await crossApp()
  const tokens = createTokenManager({
    clients: {
      c: {
        tokenEndpoint: as.tokenEndpoint,
        clientId: 'at-api',
        clientSecret: 'wiki-secret',
        scope: 'catalog',
        requester: idJag({
          identityProvider: { tokenEndpoint: idp.tokenEndpoint, clientId: 'at-idp', clientSecret: 'wiki-secret' },
          subjectToken: await idp.idToken('wiki', 'alice'),
          audience: as.issuer,
        }),
      },
    },
  })
  expect(await tokens.getAccessToken('c')).toMatchObject({ type: 'Bearer', scope: 'catalog' })
  expect(idp.tokenRequests[0]?.parameters.audience).toBe(as.issuer)
})
