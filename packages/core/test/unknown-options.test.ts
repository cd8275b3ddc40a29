import { type ConfigurationError, createRequestAuthorizer, createTokenManager } from '@tokenward/core'
import { expect, test } from 'vitest'
import { definition, scripted } from './support'

function problemsOf(run: () => unknown): readonly { option: string; message: string }[] {
  try {
    run()
  } catch (error) {
    return (error as ConfigurationError).problems
  }
  throw new Error('no error was thrown')
}

test.each([
  ['the manager', () => createTokenManager({ client: {} } as never), 'client', 'clients'],
  [
    'the manager',
    () => createTokenManager({ clients: {}, storeTimeout: 1 } as never),
    'storeTimeout',
    'storeTimeoutMs',
  ],
  [
    'a definition',
    () => createTokenManager({ clients: { c: { ...definition, clientSecrt: 's' } } } as never),
    'clientSecrt',
    'clientSecret',
  ],
  [
    'a definition',
    () => createTokenManager({ clients: { c: { ...definition, scopes: 's' } } } as never),
    'scopes',
    'scope',
  ],
])('%s: the error for an unknown option names it and the nearest known one', (_where, create, option, nearest) => {
  const [problem] = problemsOf(create)
  expect(problem).toMatchObject({ option, message: `is not an option; did you mean ${nearest}?` })
})

test('a call: the error for an unknown option names it, and no token is requested', async () => {
  const { tokens, endpoint } = scripted()
  const call = tokens.getAccessToken('catalog.client', { scopes: 'catalog' } as never)
  await expect(call).rejects.toThrow("client 'catalog.client', scopes: is not an option; did you mean scope?")
  expect(endpoint.requests).toEqual([])
})

test.each(['a"b', 'a\\b', 'a\nb', 'ä', ' a', 'a ', 'a\u0000'])(
  'the scope %j is refused (RFC 6749 §3.3)',
  async (scope) => {
    const { tokens } = scripted()
    expect(problemsOf(() => scripted({ client: { scope } }))[0]).toMatchObject({ option: 'scope' })
    await expect(tokens.getAccessToken('catalog.client', { scope })).rejects.toMatchObject({
      code: 'invalid_configuration',
    })
  },
)

test('a store beside a custom cache is refused, because it would not be used', () => {
  const cache = { get() {}, reject() {}, delete() {}, clear() {}, held() {}, forget() {}, close() {} }
  const store = { get() {}, set() {}, delete() {} }
  expect(problemsOf(() => createTokenManager({ clients: {}, cache, store } as never))[0]).toMatchObject({
    option: 'store',
  })
})

test('an adapter without a token manager is refused', () => {
  const problems = problemsOf(() =>
    createRequestAuthorizer({} as never, 'c' as never, { baseURL: 'https://a.example' }),
  )
  expect(problems[0]).toMatchObject({ option: 'tokens', message: expect.stringContaining('getAccessToken') })
})

test('the error for a relative URL without a baseURL shows the URL without its query', () => {
  const { tokens } = scripted()
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', { allowedOrigins: ['https://a.example'] })
  expect(() => authorizer.resolve('items?secret=1')).toThrow(
    "baseURL: missing, and the request's URL is not absolute: 'items'",
  )
})

test('an API with plain http is refused at creation, unless the definition has allowInsecureRequests', async () => {
  const { tokens } = scripted()
  const create = (manager = tokens) =>
    createRequestAuthorizer(manager, 'catalog.client', { baseURL: 'http://api.example' })
  expect(problemsOf(create)[0]).toMatchObject({ option: 'baseURL', message: expect.stringContaining('plain http') })
  const insecure = scripted({ client: { allowInsecureRequests: true } }).tokens
  const request = { method: 'GET', url: 'http://api.example/', headers: () => new Headers() }
  expect((await create(insecure).authorize(request)).url).toBe('http://api.example/')
  createRequestAuthorizer(tokens, 'catalog.client', { baseURL: 'http://127.0.0.1:1' })
})

test('with an async definition, an API with plain http is refused at the request', async () => {
  const tokens = createTokenManager({ clients: { async: async () => definition } })
  const authorizer = createRequestAuthorizer(tokens, 'async', { baseURL: 'http://api.example' })
  const request = { method: 'GET', url: 'http://api.example/', headers: () => new Headers() }
  await expect(authorizer.authorize(request)).rejects.toMatchObject({
    code: 'origin_not_allowed',
    message: /plain http/,
  })
})

test('a URL that is not http(s) is refused, also when its origin is allowed', async () => {
  const { tokens } = scripted()
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', { baseURL: 'https://api.example' })
  const request = { method: 'GET', url: 'blob:https://api.example/1', headers: () => new Headers() }
  await expect(authorizer.authorize(request)).rejects.toMatchObject({ code: 'origin_not_allowed' })
})

test('changes to the URL and the parameters during the token request have no effect', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.latencyMs = 100
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', { baseURL: 'https://api.example' })
  const url = new URL('https://api.example/?page=1')
  const parameters = { tenant: 'a' }
  const tokenParameters = { parameters }
  const authorizing = authorizer.authorize({ method: 'GET', url, headers: () => new Headers() }, { tokenParameters })
  url.host = 'evil.example'
  parameters.tenant = 'b'
  await clock.advance(100)
  expect((await authorizing).url).toBe('https://api.example/?page=1')
  expect(endpoint.requests[0]?.parameters).toEqual({ tenant: 'a' })
})
