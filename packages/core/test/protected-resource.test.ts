import {
  createRequestAuthorizer,
  createTokenManager,
  type ProtectedResourceOptions,
  protectedResource,
  TokenRequestError,
} from '@tokenward/core'
import { METADATA_PATH, movingApi, refusal, serve } from '@tokenward/test-support'
import { expect, onTestFinished, test } from 'vitest'
import { ScriptedEndpoint, settle, TestClock } from './support'

/** A client of `protectedResource` whose requester is scripted, with a metadata server that responds as the test says. */
async function setup(
  respond: (path: string) => Response | Promise<Response>,
  options: Partial<ProtectedResourceOptions> = {},
) {
  const clock = new TestClock()
  const endpoint = new ScriptedEndpoint(clock)
  const requested: { url: string; init: RequestInit }[] = []
  const transport = async (input: string | URL | Request, init: RequestInit = {}) => {
    requested.push({ url: String(input), init })
    return respond(new URL(String(input)).pathname)
  }
  const tokens = createTokenManager({
    clients: {
      'catalog.client': protectedResource({
        resource: 'https://api.example/items',
        allowedIssuers: ['https://one.example', 'https://two.example'],
        clientId: 'id',
        clientSecret: 'the-secret',
        fetch: transport,
        ...options,
      }),
    },
    requester: endpoint,
    clock,
    random: () => 0.5,
  })
  onTestFinished(() => tokens.close())
  const issuers: (string | undefined)[] = []
  const { request } = endpoint
  endpoint.request = (client: unknown, ...rest) => {
    issuers.push((client as { issuer?: string }).issuer)
    return request.call(endpoint, client, ...rest)
  }
  return { clock, endpoint, tokens, requested, issuers }
}

const metadata = (changes: Record<string, unknown> = {}) =>
  Response.json({ resource: 'https://api.example/items', authorization_servers: ['https://one.example'], ...changes })
const get = ({ tokens }: Awaited<ReturnType<typeof setup>>) => tokens.getAccessToken('catalog.client')

test('the token comes from the authorization server that the API names, for the API as its resource', async () => {
  const { api, tokens, one, two } = await movingApi()
  expect((await tokens.getAccessToken('c')).scope).toBe('catalog')
  expect(api.requests).toEqual([`${METADATA_PATH} 200`])
  expect(one.tokenRequests.map(({ resource }) => resource)).toEqual([api.resource])
  expect(two.tokenRequests).toEqual([])
})

test('the metadata is read once, however many calls need it, and without anything of the client', async () => {
  const given = await setup(() => metadata())
  await Promise.all(Array.from({ length: 100 }, () => get(given)))
  expect(given.requested.map(({ url }) => url)).toEqual([
    'https://api.example/.well-known/oauth-protected-resource/items',
  ])
  expect(given.requested[0]?.init).toMatchObject({ method: 'GET', redirect: 'manual' })
  expect(JSON.stringify(given.requested)).not.toContain('the-secret')
  expect(given.endpoint.requests).toHaveLength(1)
})

test.each([
  ['https://api.example', '/.well-known/oauth-protected-resource'],
  ['https://api.example/', '/.well-known/oauth-protected-resource'],
  ['https://api.example/a/b/', '/.well-known/oauth-protected-resource/a/b/'],
  ['https://api.example:8443/a?tenant=1', '/.well-known/oauth-protected-resource/a?tenant=1'],
])('the metadata of %s is at %s (RFC 9728 §3.1)', async (resource, path) => {
  const given = await setup(() => metadata({ resource }), { resource })
  await get(given)
  expect(given.requested.map(({ url }) => url)).toEqual([new URL(path, resource).href])
  expect(given.endpoint.requests[0]?.resource).toEqual([resource])
})

test('of several authorization servers the first that is allowed counts', async () => {
  const authorization_servers = [7, 'https://evil.example', 'https://two.example', 'https://one.example']
  const given = await setup(() => metadata({ authorization_servers }))
  await get(given)
  expect(given.issuers).toEqual(['https://two.example'])
})

test('with sendsResource: false the token request names no resource', async () => {
  const given = await setup(() => metadata(), { sendsResource: false })
  await get(given)
  expect(given.endpoint.requests[0]?.resource).toEqual([])
})

const URL_OF_METADATA = 'https://api.example/.well-known/oauth-protected-resource/items'

test.each<[what: string, response: () => Response, says: string, error?: string]>([
  ['404', () => new Response('', { status: 404 }), 'status 404'],
  ['a redirect', () => new Response('', { status: 302, headers: { location: 'https://evil.example' } }), 'status 302'],
  ['503', () => new Response('', { status: 503 }), 'status 503', 'server_error'],
  ['HTML', () => new Response('<html>'), 'the response is no JSON object'],
  ['null', () => Response.json(null), 'the response is no JSON object'],
  ['a long body', () => new Response(`"${'x'.repeat(2_000_000)}"`), 'longer than 1 MiB'],
  [
    'another resource',
    () => metadata({ resource: 'https://evil.example' }),
    "its resource is 'https://evil.example', not 'https://api.example/items'",
  ],
  [
    'a resource with a slash more',
    () => metadata({ resource: 'https://api.example/items/' }),
    "not 'https://api.example/items'",
  ],
  ['no resource', () => metadata({ resource: undefined }), 'its resource is missing'],
  ['no authorization server', () => metadata({ authorization_servers: [] }), 'it names no authorization server'],
  [
    'a text as authorization servers',
    () => metadata({ authorization_servers: 'https://one.example' }),
    'it names no authorization server',
  ],
  [
    'an issuer that is not allowed',
    () => metadata({ authorization_servers: ['https://evil.example\r\n'] }),
    "it names 'https://evil.example ', and allowedIssuers has 'https://one.example', 'https://two.example'",
  ],
  [
    'an allowed issuer with a slash more',
    () => metadata({ authorization_servers: ['https://one.example/'] }),
    "it names 'https://one.example/'",
  ],
])(
  '%s: no token is requested, and the error says what is wrong and where',
  async (_what, response, says, error = 'invalid_response') => {
    const given = await setup(response)
    const thrown = await get(given).catch((reason: unknown) => reason)
    expect(thrown).toBeInstanceOf(TokenRequestError)
    expect(thrown).toMatchObject({ client: 'catalog.client', error, step: 'resource_metadata', url: URL_OF_METADATA })
    expect(String(thrown)).toContain(says)
    expect(String(thrown)).toContain(`; protected resource metadata: ${URL_OF_METADATA}`)
    expect(given.endpoint.requests).toEqual([])
    expect(given.requested).toHaveLength(1)
  },
)

test('a server that does not respond: the error names the time limit and the URL', async () => {
  const given = await setup(() => new Promise<never>(() => {}))
  const call = get(given).catch((error: unknown) => error)
  await given.clock.advance(10_001)
  expect(await call).toMatchObject({ error: 'timeout', step: 'resource_metadata', url: URL_OF_METADATA })
})

test('a server that is down', async () => {
  const given = await setup(() => {
    throw Object.assign(new TypeError('fetch failed'), { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) })
  })
  const error = { error: 'network_error', errorDescription: 'ECONNREFUSED', step: 'resource_metadata', retryable: true }
  await expect(get(given)).rejects.toMatchObject(error)
})

test('metadata that cannot be used is read again after pauses that grow from 0.5 s to 30 s', async () => {
  const given = await setup(() => metadata({ authorization_servers: ['https://evil.example'] }))
  for (let second = 0; second < 100; second += 0.25) {
    await expect(get(given)).rejects.toBeInstanceOf(TokenRequestError)
    await given.clock.advance(250)
  }
  expect(given.requested.length).toBeLessThan(10)
})

/** Sends a request to an API that accepts the token of one request, and responds 401 to all others. */
function callerOf({ tokens }: Pick<Awaited<ReturnType<typeof setup>>, 'tokens'>) {
  const authorizer = createRequestAuthorizer(tokens, 'catalog.client', {
    baseURL: 'https://api.example/items',
    allowedOrigins: ['https://other.example'],
  })
  return async (accepts: (token: string) => boolean, named: string, url = 'https://api.example/items') => {
    let authorization = await authorizer.authorize({ method: 'GET', url, headers: () => new Headers() })
    for (;;) {
      if (accepts(authorization.headers.authorization ?? '')) return 200
      const { status, headers } = refusal(401, { resource_metadata: named })
      const again = await authorization.next({ status, headers: new Headers(headers) }, true)
      if (!again) return status
      authorization = again
    }
  }
}

/** An API that has moved from the first to the second authorization server, after its first token was issued. */
async function moved(path = '/.well-known/oauth-protected-resource/items', changes: Record<string, unknown> = {}) {
  let hasMoved = false
  const given = await setup((requested) => {
    if (!hasMoved) return metadata()
    return requested === path
      ? metadata({ authorization_servers: ['https://two.example'], ...changes })
      : new Response('', { status: 404 })
  })
  const call = callerOf(given)
  await call(() => true, '')
  hasMoved = true
  const accepts = (authorization: string) =>
    given.issuers[Number(authorization.slice('Bearer token-'.length)) - 1] === 'https://two.example'
  return { ...given, call: (named: string, url?: string) => call(accepts, named, url) }
}

test('a 401 that names the metadata: it is read again, and the token comes from the new authorization server', async () => {
  const given = await moved('/elsewhere')
  expect(await given.call('https://api.example/elsewhere')).toBe(200)
  expect(given.issuers).toEqual(['https://one.example', 'https://two.example'])
  expect(given.requested.map(({ url }) => url)).toEqual([URL_OF_METADATA, 'https://api.example/elsewhere'])
  // Nothing is left of the old one.
  expect(given.tokens.status().clients['catalog.client']?.tokens).toHaveLength(1)
})

test('100 calls that get such a 401 at the same time read the metadata once, and make one token request', async () => {
  const given = await moved()
  given.endpoint.latencyMs = 50
  const calls = Promise.all(Array.from({ length: 100 }, () => given.call(URL_OF_METADATA)))
  await given.clock.advance(200)
  expect(new Set(await calls)).toEqual(new Set([200]))
  expect(given.requested).toHaveLength(2)
  expect(given.issuers).toEqual(['https://one.example', 'https://two.example'])
})

test.each<[what: string, named: string, changes?: Record<string, unknown>, url?: string]>([
  ['of another origin', 'https://evil.example/.well-known/oauth-protected-resource/items'],
  ['of another scheme', 'http://api.example/.well-known/oauth-protected-resource/items'],
  ['with a user name', 'https://user@api.example/.well-known/oauth-protected-resource/items'],
  ['that is none', 'https://'],
  [
    'of another allowed origin, which is not that of the resource',
    'https://other.example/.well-known/oauth-protected-resource/items',
    {},
    'https://other.example/items',
  ],
  ['of the resource, from another allowed origin', URL_OF_METADATA, {}, 'https://other.example/items'],
  ['with the metadata of another resource', URL_OF_METADATA, { resource: 'https://api.example/other' }],
  ['with an issuer that is not allowed', URL_OF_METADATA, { authorization_servers: ['https://evil.example'] }],
  ['that cannot be read', 'https://api.example/nothing'],
])('a 401 that names a URL %s: the token is renewed where it came from', async (_what, named, changes, url) => {
  const given = await moved('/.well-known/oauth-protected-resource/items', changes)
  expect(await given.call(named, url)).toBe(401)
  expect(given.issuers).toEqual(['https://one.example', 'https://one.example'])
  for (const { url: requested } of given.requested) expect(new URL(requested).origin).toBe('https://api.example')
})

test('an API that rejects every token and names its metadata: it is read twice, and there is no storm', async () => {
  const given = await setup(() => metadata())
  const call = callerOf(given)
  for (let turn = 0; turn < 100; turn++) {
    expect(await call(() => false, URL_OF_METADATA)).toBe(401)
    await settle()
  }
  expect(given.requested).toHaveLength(2)
  expect(given.endpoint.requests).toHaveLength(2)
})

test('an API that names another server each time changes it at most once in 30 s', async () => {
  let turn = 0
  const servers = ['https://one.example', 'https://two.example']
  const given = await setup(() => metadata({ authorization_servers: [servers[turn++ % 2]] }))
  const call = callerOf(given)
  for (let second = 0; second < 60; second++) {
    await call(() => false, URL_OF_METADATA)
    await given.clock.advance(1_000)
  }
  expect(given.requested.length).toBeLessThanOrEqual(4)
})

test('a definition that was not made of metadata does not follow any', async () => {
  const { api, tokens } = await movingApi()
  tokens.removeClient('c')
  tokens.addClient('c', async () => ({ tokenEndpoint: `${api.origin}/token`, clientId: 'a', clientSecret: 'b' }))
  expect(await tokens.followResourceMetadata?.('c', new URL(api.metadataUrl))).toBe(false)
  expect(api.requests).toEqual([])
})

test('a caller that gives up does not wait for the metadata', async () => {
  let hangs = false
  const given = await setup(() => (hangs ? new Promise<never>(() => {}) : metadata()))
  const authorizer = createRequestAuthorizer(given.tokens, 'catalog.client', { baseURL: 'https://api.example/items' })
  const controller = new AbortController()
  const { signal } = controller
  const request = { method: 'GET', url: 'https://api.example/items', headers: () => new Headers() }
  const authorization = await authorizer.authorize(request, { signal })
  hangs = true
  const { status, headers } = refusal(401, { resource_metadata: URL_OF_METADATA })
  const next = authorization.next({ status, headers: new Headers(headers) }, true)
  await settle()
  controller.abort(new Error('enough'))
  await expect(next).rejects.toThrow('enough')
})

const valid: ProtectedResourceOptions = {
  resource: 'https://api.example',
  allowedIssuers: ['https://one.example'],
  clientId: 'id',
  clientSecret: 's',
}

test.each<[what: string, options: object, problem: string]>([
  ['no options', undefined as never, 'protectedResource'],
  ['no issuer', { ...valid, allowedIssuers: [] }, 'allowedIssuers: must be an array of at least one issuer'],
  ['an issuer that is a URL object', { ...valid, allowedIssuers: [new URL('https://a.example')] }, 'allowedIssuers'],
  ['an issuer by plain http', { ...valid, allowedIssuers: ['http://one.example'] }, 'issuer: would send the secret'],
  ['an issuer beside them', { ...valid, issuer: 'https://one.example' }, 'issuer: cannot be set here'],
  ['a token endpoint beside them', { ...valid, tokenEndpoint: 'https://one.example' }, 'tokenEndpoint: cannot be'],
  ['a resource by plain http', { ...valid, resource: 'http://api.example' }, 'resource: is plain http'],
  ['a resource that is no http URL', { ...valid, resource: 'urn:api' }, 'resource: must be an https URL'],
  ['a resource with a fragment', { ...valid, resource: 'https://api.example/#a' }, 'resource: has a fragment'],
  ['a resource that is no URL', { ...valid, resource: 'api' }, 'resource'],
  ['no client id', { ...valid, clientId: undefined }, 'protectedResource: clientId'],
  ['a misspelt option', { ...valid, scopes: 'a' }, 'did you mean scope?'],
])('%s: the mistake is found at once', (_what, options, problem) => {
  expect(() => protectedResource(options as ProtectedResourceOptions)).toThrow(problem)
})

test('plain http is for loopback, and for a definition that allows it', async () => {
  const origin = await serve((_request, response) => response.writeHead(404).end())
  expect(() => protectedResource({ ...valid, resource: origin })).not.toThrow()
  const insecure = { ...valid, resource: 'http://api.example', allowInsecureRequests: true }
  expect(() => protectedResource(insecure)).not.toThrow()
})
