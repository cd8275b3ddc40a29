import { inspect } from 'node:util'
import { type AuthorizedCallOptions, createRequestAuthorizer, type StepUpOptions } from '@tokenward/core'
import { refusal } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { recordEvents, type Scripted, scripted } from './support'

const ORIGIN = 'https://api.example'

type Api = (request: { method: string; path: string; token: string }) => 200 | ReturnType<typeof refusal>

/** An HTTP client of core, without a network. It sends requests to `api`. */
function clientOf(tokens: Scripted['tokens'], stepUp: StepUpOptions | undefined, api: Api) {
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', {
    baseURL: ORIGIN,
    allowedOrigins: ['https://other.example'],
    stepUp,
  })
  const sent: string[] = []
  const call = async (method: string, path = '/items', options: AuthorizedCallOptions & { stream?: true } = {}) => {
    const { stream, ...more } = options
    const url = new URL(path, ORIGIN)
    let authorization = await authorizer.authorize({ method, url, headers: () => new Headers() }, more)
    for (;;) {
      const token = authorization.headers.authorization?.slice(7) ?? ''
      sent.push(`${method} ${token}`)
      const response = api({ method, path, token })
      const { status, headers } = response === 200 ? { status: 200, headers: {} } : response
      if (authorization.isAnswer(status)) return status
      const again = await authorization.next({ status, headers: new Headers(headers) }, !stream)
      if (!again) return status
      authorization = again
    }
  }
  return { call, sent }
}

/** An API whose POSTs need the scope `write`, and whose other requests need none. */
function writeApi({ endpoint }: Scripted): Api {
  const scopesOf = (token: string) => endpoint.requests[Number(token.slice(6)) - 1]?.scope?.split(' ') ?? []
  return ({ method, token }) =>
    method !== 'POST' || scopesOf(token).includes('write')
      ? 200
      : refusal(403, { error: 'insufficient_scope', scope: 'write' })
}
const scopesOf = ({ endpoint }: Scripted) => endpoint.requests.map(({ scope }) => scope)

test('the request is sent once more with the scope that the API demands, in addition to that of its token', async () => {
  const setup = scripted()
  const { call, sent } = clientOf(setup.tokens, { scopes: ['write'] }, writeApi(setup))
  expect(await call('POST')).toBe(200)
  expect(sent).toEqual(['POST token-1', 'POST token-2'])
  expect(scopesOf(setup)).toEqual(['catalog', 'catalog write'])
})

test('later requests of the same method use such a token at once, and others do not', async () => {
  const setup = scripted()
  const { call, sent } = clientOf(setup.tokens, { scopes: ['write'] }, writeApi(setup))
  await call('POST')
  await call('POST', '/other')
  await call('GET')
  await call('POST', 'https://other.example/items')
  expect(sent.slice(2)).toEqual(['POST token-2', 'GET token-1', 'POST token-1', 'POST token-2'])
  expect(scopesOf(setup)).toEqual(['catalog', 'catalog write'])
})

test('what was demanded of a request with other tokenParameters is not remembered for this one', async () => {
  const setup = scripted()
  const { call } = clientOf(setup.tokens, { scopes: ['write'] }, writeApi(setup))
  const tokenParameters = { scope: 'tenant-a', resource: 'urn:a' }
  for (let turn = 0; turn < 2; turn++) await call('POST', '/items', { tokenParameters })
  await call('POST', '/items', { tokenParameters: () => ({ scope: 'tenant-b' }) })
  await call('POST', '/items', { tokenParameters: () => ({ scope: 'tenant-b', minValidityMs: 1 }) })
  expect(scopesOf(setup)).toEqual(['tenant-a', 'tenant-a write', 'tenant-b', 'tenant-b write'])
  expect(setup.endpoint.requests.map(({ resource }) => resource)).toEqual([['urn:a'], ['urn:a'], [], []])
})

test('without the option the caller gets the 403, which is not even looked at', async () => {
  const setup = scripted()
  const authorizer = createRequestAuthorizer(setup.tokens, 'catalog.client', { baseURL: ORIGIN })
  const authorization = await authorizer.authorize({ method: 'GET', url: ORIGIN, headers: () => new Headers() })
  expect(authorization.isAnswer(403)).toBe(true)
  const { call, sent } = clientOf(setup.tokens, undefined, writeApi(setup))
  expect([await call('POST'), sent]).toEqual([403, ['POST token-1']])
})

test.each<[what: string, stepUp: StepUpOptions, parameters: Record<string, string>]>([
  ['a scope that is not listed', { scopes: ['other'] }, { error: 'insufficient_scope', scope: 'write' }],
  ['one of several that is not listed', { scopes: ['write'] }, { error: 'insufficient_scope', scope: 'write admin' }],
  ['no scope', { scopes: ['write'] }, { error: 'insufficient_scope' }],
  ['the scope that the token has', { scopes: ['write'] }, { error: 'insufficient_scope', scope: 'catalog' }],
  ['another error', { scopes: ['write'] }, { error: 'invalid_token', scope: 'write' }],
  ['what only a 401 may demand', { acrValues: ['2'] }, { error: 'insufficient_user_authentication', acr_values: '2' }],
])('%s: the caller gets the 403, and nothing is requested', async (_what, stepUp, parameters) => {
  const setup = scripted()
  const { call, sent } = clientOf(setup.tokens, stepUp, () => refusal(403, parameters))
  expect([await call('POST'), sent]).toEqual([403, ['POST token-1']])
  expect(setup.endpoint.requests).toHaveLength(1)
})

test('the caller gets the second response, whatever it is', async () => {
  const setup = scripted()
  const always = refusal(403, { error: 'insufficient_scope', scope: 'write more' })
  const { call, sent } = clientOf(setup.tokens, { scopes: ['write', 'more'] }, () => always)
  for (let turn = 0; turn < 100; turn++) expect(await call('POST')).toBe(403)
  expect(sent).toHaveLength(101)
  expect(scopesOf(setup)).toEqual(['catalog', 'catalog write more'])
})

test('a body that cannot be sent again is not: the next request uses the token at once', async () => {
  const setup = scripted()
  const { call, sent } = clientOf(setup.tokens, { scopes: ['write'] }, writeApi(setup))
  expect(await call('POST', '/items', { stream: true })).toBe(403)
  expect(await call('POST', '/items', { stream: true })).toBe(200)
  expect(sent).toEqual(['POST token-1', 'POST token-2'])
})

test('a scope that the server refuses gives the caller its 403, and later requests the ordinary token', async () => {
  const setup = scripted()
  const { tokens, endpoint, clock } = setup
  const { call, sent } = clientOf(tokens, { scopes: ['write'] }, writeApi(setup))
  const refuse = async () => {
    const response = Response.json({ error: 'invalid_scope' }, { status: 400 })
    throw Object.assign(new Error(), { error: 'invalid_scope', response })
  }
  endpoint.respondNext({}, refuse)
  for (let turn = 0; turn < 100; turn++) expect(await call('POST')).toBe(403)
  expect(new Set(sent)).toEqual(new Set(['POST token-1']))
  expect(scopesOf(setup)).toEqual(['catalog', 'catalog write'])
  // The server allows it now.
  await clock.advance(1_000)
  expect(await call('POST')).toBe(200)
  // And then no more, when that token has expired.
  await clock.advance(120_000)
  endpoint.respondNext(refuse, {})
  expect(await call('POST')).toBe(403)
  expect(sent.at(-1)).toBe(`POST token-${endpoint.requests.length}`)
  expect(scopesOf(setup).slice(-2)).toEqual(['catalog write', 'catalog'])
})

test('an API that demands something else each time causes at most 10 token requests more', async () => {
  const setup = scripted()
  let seconds = 1_000_000
  const { call } = clientOf(setup.tokens, { maxAge: true }, () =>
    refusal(401, { error: 'insufficient_user_authentication', max_age: String(--seconds) }),
  )
  for (let turn = 0; turn < 100; turn++) expect(await call('POST')).toBe(401)
  const maxAges = new Set(setup.endpoint.requests.map(({ parameters }) => parameters.max_age))
  expect(maxAges.size).toBe(11)
  // Each token is renewed once because the API rejects it.
  expect(setup.endpoint.requests.length).toBeLessThanOrEqual(22)
})

test('a stronger authentication of the user is demanded by a 401 (RFC 9470)', async () => {
  const setup = scripted({ client: { parameters: { tenant: 'a' } } })
  const { endpoint } = setup
  const error = 'insufficient_user_authentication'
  const challenge = refusal(401, { error, acr_values: 'urn:gold myACR urn:silver', max_age: '5' })
  const { call, sent } = clientOf(setup.tokens, { acrValues: ['myACR', 'urn:silver'], maxAge: true }, ({ token }) =>
    endpoint.requests[Number(token.slice(6)) - 1]?.parameters.acr_values ? 200 : challenge,
  )
  expect([await call('GET'), sent]).toEqual([200, ['GET token-1', 'GET token-2']])
  expect(endpoint.requests[1]?.parameters).toEqual({ tenant: 'a', acr_values: 'myACR urn:silver', max_age: '5' })
})

test.each<[what: string, stepUp: StepUpOptions, parameters: Record<string, string>]>([
  ['acr_values of which none is listed', { acrValues: ['a'] }, { acr_values: 'b c' }],
  ['max_age without the option', { acrValues: ['a'] }, { acr_values: 'a', max_age: '5' }],
  ['a max_age that is no number', { maxAge: true }, { max_age: '-1' }],
  ['nothing', { acrValues: ['a'], maxAge: true }, {}],
])('a 401 that demands %s is an ordinary one: the token is renewed', async (_what, stepUp, parameters) => {
  const setup = scripted()
  const challenge = refusal(401, { error: 'insufficient_user_authentication', ...parameters })
  const { call, sent } = clientOf(setup.tokens, stepUp, () => challenge)
  expect([await call('GET'), sent]).toEqual([401, ['GET token-1', 'GET token-2']])
  expect(setup.endpoint.requests[1]?.parameters).toEqual({})
})

test('with retryOn401: false a 401 is not sent again, and the next request meets the demand', async () => {
  const setup = scripted()
  const challenge = refusal(401, { error: 'insufficient_user_authentication', acr_values: 'a' })
  const { call, sent } = clientOf(setup.tokens, { acrValues: ['a'] }, ({ token }) =>
    setup.endpoint.requests[Number(token.slice(6)) - 1]?.parameters.acr_values ? 200 : challenge,
  )
  expect(await call('GET', '/', { retryOn401: false })).toBe(401)
  expect(await call('GET', '/', { retryOn401: false })).toBe(200)
  expect(sent).toHaveLength(2)
})

test('100 requests that are refused at the same time make one token request', async () => {
  const setup = scripted()
  const { call } = clientOf(setup.tokens, { scopes: ['write'] }, writeApi(setup))
  await call('GET')
  setup.endpoint.latencyMs = 50
  const calls = Promise.all(Array.from({ length: 100 }, () => call('POST')))
  await setup.clock.advance(100)
  expect(new Set(await calls)).toEqual(new Set([200]))
  expect(scopesOf(setup)).toEqual(['catalog', 'catalog write'])
})

test('an event says that an API demands more, and whether that is allowed; of what is not allowed, only once', async () => {
  const setup = scripted()
  const events = recordEvents(setup.tokens, 'stepUpDemanded')
  const secret = 'text-of-the-api'
  const { call } = clientOf(setup.tokens, { scopes: ['write'] }, ({ method }) =>
    refusal(403, { error: 'insufficient_scope', scope: method === 'POST' ? 'write' : secret }),
  )
  for (let turn = 0; turn < 3; turn++) await call('GET')
  for (let turn = 0; turn < 3; turn++) await call('POST')
  const said = { client: 'catalog.client', origin: ORIGIN, reason: 'insufficient_scope' }
  expect(events.map(({ event }) => event)).toEqual([
    { ...said, isAllowed: false },
    { ...said, isAllowed: true },
  ])
  expect(inspect(events)).not.toContain(secret)
})

test.each<[stepUp: unknown, problem: string]>([
  [true, 'stepUp: must be an object'],
  [{ scope: ['a'] }, 'did you mean scopes'],
  [{ scopes: 'a b' }, 'stepUp.scopes: must be an array'],
  [{ scopes: ['a b'] }, 'stepUp.scopes: must be an array'],
  [{ acrValues: [1] }, 'stepUp.acrValues: must be an array'],
  [{ maxAge: 5 }, 'stepUp.maxAge: must be true or false'],
])('stepUp: %j is refused when the HTTP client is created', (stepUp, problem) => {
  const { tokens } = scripted()
  const create = () =>
    createRequestAuthorizer(tokens, 'catalog.client', { baseURL: ORIGIN, stepUp: stepUp as StepUpOptions })
  expect(create).toThrow(problem)
})

test('later changes of the caller to the options have no effect', async () => {
  const setup = scripted()
  const stepUp = { scopes: ['read'] }
  const { call } = clientOf(setup.tokens, stepUp, writeApi(setup))
  stepUp.scopes.push('write')
  expect(await call('POST')).toBe(403)
})
