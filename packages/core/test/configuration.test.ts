import { type ClientDefinition, ClientSecretPost, ConfigurationError, createTokenManager } from '@tokenward/core'
import { expect, test } from 'vitest'
import { definition, scripted } from './support'

function problemsOf(make: () => unknown): { client?: string | undefined; option: string; message: string }[] {
  try {
    make()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({ name: 'ConfigurationError', code: 'invalid_configuration' })
    return [...(error as ConfigurationError).problems]
  }
  throw new Error('no problem was reported')
}

const define = (change: object): ClientDefinition => ({ ...definition, ...change })

test('every problem of every client is reported at once, with client and option', () => {
  const problems = problemsOf(() =>
    createTokenManager({
      timeoutMs: -1,
      clients: {
        a: define({ clientId: undefined }),
        b: define({ issuer: 'https://as.example' }),
        c: define({ tokenEndpoint: undefined }),
        d: define({ tokenEndpoint: 'no url', clientAuth: ClientSecretPost('x') }),
      },
    }),
  )
  expect(problems.map(({ client, option }) => [client, option])).toEqual([
    [undefined, 'timeoutMs'],
    ['a', 'clientId'],
    ['b', 'tokenEndpoint'],
    ['c', 'tokenEndpoint'],
    ['d', 'tokenEndpoint'],
    ['d', 'clientSecret'],
  ])
})

test('the message of the error names every problem', () => {
  const make = () => createTokenManager({ clients: { a: define({ clientId: '' }), b: define({ tokenEndpoint: 'x' }) } })
  expect(make).toThrow(/client 'a', clientId: is empty/)
  expect(make).toThrow(/client 'b', tokenEndpoint: 'x' does not parse as a URL/)
})

test.each<[string, object]>([
  ['localLifetimeMs', { localLifetimeMs: -1 }],
  ['storeTimeoutMs', { storeTimeoutMs: 0 }],
  ['storeTimeoutMs', { storeTimeoutMs: '250' }],
  ['maxEntries', { maxEntries: 1.5 }],
  ['store', { store: { get() {} } }],
])('the manager option %s: %o is refused', (option, options) => {
  expect(problemsOf(() => createTokenManager({ clients: {}, ...options }))).toMatchObject([{ option }])
})

test.each<[string, object, string]>([
  ['an empty secret', { clientSecret: '' }, 'clientSecret'],
  ['a secret whose environment variable is not set', { clientSecret: undefined }, 'clientSecret'],
  ['half a surrogate pair', { clientSecret: 'a\ud800' }, 'clientSecret'],
  ['a secret of another type', { clientSecret: 42 }, 'clientSecret'],
  ['no secret in an array', { clientSecret: [] }, 'clientSecret'],
  ['too many secrets', { clientSecret: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'clientSecret'],
  ['an empty secret in an array', { clientSecret: ['a', ''] }, 'clientSecret[1]'],
  ['an undefined secret in an array', { clientSecret: ['a', undefined] }, 'clientSecret[1]'],
  ['a secret twice', { clientSecret: ['a', 'b', 'a'] }, 'clientSecret[2]'],
  [
    'several secrets beside a clientAuth',
    { clientSecret: ['a', 'b'], clientAuth: ClientSecretPost('a') },
    'clientSecret',
  ],
  ['a secret beside an assertion', { clientAssertion: 'jwt' }, 'clientSecret'],
  ['plain http', { tokenEndpoint: 'http://as.example/token' }, 'tokenEndpoint'],
  [
    'plain http to a name that only begins like loopback',
    { tokenEndpoint: 'http://127.0.0.1.evil.example/' },
    'tokenEndpoint',
  ],
  ['another scheme', { tokenEndpoint: 'ftp://as.example/token' }, 'tokenEndpoint'],
  ['a password in the URL', { tokenEndpoint: 'https://u:pw@as.example/token' }, 'tokenEndpoint'],
  ['a relative resource', { resource: 'catalog' }, 'resource'],
  ['a resource with a fragment', { resource: 'urn:a#b' }, 'resource'],
  ['a parameter that has its own option', { parameters: { scope: 'a' } }, 'parameters.scope'],
  ['the grant type as a parameter', { parameters: { grant_type: 'password' } }, 'parameters.grant_type'],
  ['a parameter that is not a string', { parameters: { n: 1 } }, 'parameters.n'],
  ['a time limit of 0', { timeoutMs: 0 }, 'timeoutMs'],
  ['a lifetime that is NaN', { defaultLifetimeMs: Number.NaN }, 'defaultLifetimeMs'],
  ['a negative buffer', { expirationBufferMs: -1 }, 'expirationBufferMs'],
  ['a requester without a request method', { requester: {} }, 'requester'],
  ['a fetch that is not a function', { fetch: 'fetch' }, 'fetch'],
])('%s is refused', (_what, change, option) => {
  expect(problemsOf(() => createTokenManager({ clients: { c: define(change) } }))).toMatchObject([
    { client: 'c', option },
  ])
})

test.each(['http://localhost:8080/token', 'http://127.0.0.1/token', 'http://[::1]:9000/token'])(
  'plain http is allowed on this machine: %s',
  (tokenEndpoint) => {
    createTokenManager({ clients: { c: define({ tokenEndpoint }) } })
  },
)

test('plain http is allowed with allowInsecureRequests', () => {
  const tokenEndpoint = 'http://as.internal/token'
  createTokenManager({ clients: { c: define({ tokenEndpoint, allowInsecureRequests: true }) } })
})

test('no message repeats the password of a URL', () => {
  const make = () => createTokenManager({ clients: { c: define({ tokenEndpoint: 'https://user:hunter2@bad host' }) } })
  expect(make).toThrow(ConfigurationError)
  expect(make).not.toThrow(/hunter2/)
})

test('changing the options afterwards has no effect', async () => {
  const changing = { ...definition, parameters: { tenant: 'a' } }
  const { tokens, endpoint } = scripted({ client: changing })
  changing.scope = 'everything'
  changing.parameters.tenant = 'b'
  await tokens.getAccessToken('catalog.client')
  expect(endpoint.requests[0]).toMatchObject({ scope: 'catalog' })
  expect(endpoint.requests[0]?.parameters).toEqual({ tenant: 'a' })
})

test('an unknown client does not compile, and fails at run time with the known names', async () => {
  const { tokens } = scripted()
  // @ts-expect-error the client does not exist
  await expect(tokens.getAccessToken('catalog.clinet')).rejects.toMatchObject({
    name: 'UnknownClientError',
    code: 'unknown_client',
    client: 'catalog.clinet',
    knownClients: ['catalog.client', 'invoice.client'],
  })
})

test('names of built-in object properties are unknown clients', async () => {
  const tokens = createTokenManager<string>({ clients: { c: definition } })
  for (const name of ['constructor', '__proto__', 'toString']) {
    await expect(tokens.getAccessToken(name)).rejects.toMatchObject({ code: 'unknown_client' })
  }
})

test.each<[string, object, string]>([
  ['a negative validity', { minValidityMs: -1 }, 'minValidityMs'],
  ['a resource that is not a URI', { resource: 'x' }, 'resource'],
  ['a reserved parameter', { parameters: { client_secret: 'x' } }, 'parameters.client_secret'],
])('%s in a call is refused before a request', async (_what, options, option) => {
  const { tokens, endpoint } = scripted()
  await expect(tokens.getAccessToken('catalog.client', options)).rejects.toMatchObject({
    code: 'invalid_configuration',
    problems: [{ client: 'catalog.client', option }],
  })
  expect(endpoint.requests).toHaveLength(0)
})

test('a client without a credential fails, and works with an assertion in the call', async () => {
  const sent: string[] = []
  const transport: typeof fetch = async (_input, init) => {
    sent.push(String(init?.body))
    return Response.json({ access_token: 'a', token_type: 'bearer' })
  }
  const { clientSecret, ...rest } = definition
  const tokens = createTokenManager({ clients: { c: { ...rest, fetch: transport } } })
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({
    problems: [{ client: 'c', option: 'clientSecret' }],
  })
  expect(sent).toEqual([])
  await tokens.getAccessToken('c', { clientAssertion: async ({ client, audience }) => `${client} for ${audience}` })
  expect(Object.fromEntries(new URLSearchParams(sent[0]))).toMatchObject({
    client_id: 'client-id',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: 'c for https://as.example/token',
  })
})

test('a client can be added and removed at run time, and the returned type knows its name', async () => {
  const { tokens, endpoint } = scripted()
  const more = tokens.addClient('added.client', definition)
  await more.getAccessToken('added.client')
  expect(endpoint.requests).toHaveLength(1)
  expect(() => tokens.addClient('added.client', definition)).toThrow(/'added.client', name: is taken/)
  expect(() => tokens.addClient('bad', define({ clientId: '' }))).toThrow(/clientId/)
  tokens.removeClient('added.client')
  await expect(more.getAccessToken('added.client')).rejects.toMatchObject({ code: 'unknown_client' })
})

test('an async definition is called once, at first use, and again after it failed', async () => {
  let calls = 0
  const { tokens } = scripted()
  const more = tokens.addClient('added', async () => {
    if (++calls === 1) throw new Error('vault is sealed')
    return definition
  })
  expect(calls).toBe(0)
  await expect(more.getAccessToken('added')).rejects.toThrow('vault is sealed')
  await Promise.all([more.getAccessToken('added'), more.getAccessToken('added')])
  expect(calls).toBe(2)
})

test('resolveClient is called once per unknown name, and any name compiles', async () => {
  const resolved: string[] = []
  const tokens = createTokenManager({
    clients: { fixed: definition },
    requester: { request: async () => ({ access_token: 'a', token_type: 'bearer', expires_in: 60 }) },
    async resolveClient(name) {
      resolved.push(name)
      return name === 'nobody' ? undefined : definition
    },
  })
  await Promise.all([
    tokens.getAccessToken('tenant-1'),
    tokens.getAccessToken('tenant-1'),
    tokens.getAccessToken('fixed'),
  ])
  await tokens.getAccessToken('tenant-2')
  expect(resolved).toEqual(['tenant-1', 'tenant-2'])
  await expect(tokens.getAccessToken('nobody')).rejects.toMatchObject({ code: 'unknown_client' })
})
