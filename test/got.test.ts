import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { inspect } from 'node:util'
import * as core from '@tokenward/core'
import { definitionsFor, SkippableClock, startProvider } from '@tokenward/test-support'
import got, { type ExtendOptions, type Got } from 'got'
import ts from 'typescript'
import { expect, onTestFinished, test } from 'vitest'
import { snippets } from './snippets'

type WithTokens = (got: Got, tokens: core.TokenManager, client: string, allowedOrigins: string[]) => Got

/** The function of docs/http-clients.md, as a user would copy it. */
function recipe(): WithTokens {
  const snippet = snippets('docs/http-clients.md').find(({ file }) => file === 'got-tokens.ts')
  const module = ts.ModuleKind.CommonJS
  const { outputText } = ts.transpileModule(String(snippet?.code), {
    compilerOptions: { module, target: ts.ScriptTarget.ES2022 },
  })
  const require = createRequire(import.meta.url)
  const exports: { withTokens?: WithTokens } = {}
  const load = (name: string) => (name === '@tokenward/core' ? core : require(name))
  new Function('require', 'exports', outputText)(load, exports)
  if (!exports.withTokens) throw new Error('the recipe exports no withTokens')
  return exports.withTokens
}
const withTokens = recipe()

async function setup(client: 'catalog.client' | 'dpop' = 'catalog.client', options: ExtendOptions = {}) {
  const provider = await startProvider({ clients: { dpop: { metadata: { dpop_bound_access_tokens: true } } } })
  const { clientId, clientSecret } = provider.client('dpop')
  const clock = new SkippableClock()
  const catalog = { ...definitionsFor(provider)['catalog.client'], fetch: clock.fetch }
  const clients = { 'catalog.client': catalog, dpop: { ...catalog, clientId, clientSecret, dpop: true } }
  const tokens = core.createTokenManager({ clients, clock })
  onTestFinished(() => tokens.close())
  const { catalog: api } = provider
  const instance = got.extend({ prefixUrl: api.baseURL, throwHttpErrors: false, ...options })
  const statuses = () => api.requests.map(({ status }) => status)
  return { provider, tokens, api, clock, statuses, call: withTokens(instance, tokens, client, [api.origin]) }
}

test('a token is attached, cached, replaced after a revocation, and renewed when it has expired', async () => {
  const { provider, clock, statuses, call } = await setup()
  expect(await call('list').json()).toHaveLength(3)
  expect((await call('list', { searchParams: { a: 'ü' } })).statusCode).toBe(200)
  provider.revokeIssued()
  expect(await call('list').json()).toHaveLength(3)
  expect(statuses()).toEqual([200, 200, 401, 200])
  clock.skip(3_601_000)
  expect((await call('test')).statusCode).toBe(200)
  expect(provider.tokenRequests).toHaveLength(3)
})

test('50 calls at once make one token request, and one more after a revocation', async () => {
  const { provider, call } = await setup()
  for (let number = 1; number <= 2; number++) {
    const all = await Promise.all(Array.from({ length: 50 }, () => call('test')))
    expect(new Set(all.map(({ statusCode }) => statusCode))).toEqual(new Set([200]))
    expect(provider.tokenRequests).toHaveLength(number)
    provider.revokeIssued()
  }
})

test.each<[string, object]>([
  ['json', { json: { a: ['ü'] } }],
  ['form', { form: { a: '1', b: 'ü' } }],
  ['text', { body: 'text ü' }],
  ['bytes', { body: Buffer.from('bytes') }],
])('%s is sent whole in the second request', async (_kind, body) => {
  const { provider, api, call } = await setup()
  await call('test')
  provider.revokeIssued()
  expect((await call.post('echo', { ...body, headers: { 'x-trace': '1' } })).statusCode).toBe(200)
  const [, first, second] = api.requests
  expect([first?.status, second?.status]).toEqual([401, 200])
  expect(first?.body.length).toBeGreaterThan(0)
  expect(second?.body).toEqual(first?.body)
  expect(second?.headers['x-trace']).toBe('1')
})

test('a stream as the body is not sent again: its caller gets the 401, and the next call uses a new token', async () => {
  const { provider, statuses, call } = await setup()
  await call('test')
  provider.revokeIssued()
  expect((await call.post('echo', { body: Readable.from(['streamed']) })).statusCode).toBe(401)
  expect((await call.post('echo', { body: Readable.from(['streamed']) })).statusCode).toBe(200)
  expect(statuses()).toEqual([200, 401, 200])
})

test('after two 401s the caller gets the second, and there was no third request', async () => {
  const { api, statuses, call } = await setup()
  api.faults.fail(2, { status: 401, body: { error: 'no' } })
  const { statusCode, body } = await call('list')
  expect([statusCode, JSON.parse(body)]).toEqual([401, { error: 'no' }])
  expect(statuses()).toEqual([401, 401])
})

test("got's own retries have a token, also after a 401", async () => {
  const { provider, api, statuses, call } = await setup('catalog.client', {
    retry: { calculateDelay: ({ computedValue }) => Math.min(computedValue, 1) },
  })
  await call('test')
  provider.revokeIssued()
  api.faults.fail(1, { status: 503 })
  expect((await call('test')).statusCode).toBe(200)
  expect(statuses()).toEqual([200, 503, 401, 200])
})

test.each(['catalog.client', 'dpop'] as const)(
  'a redirect (%s) within the origin carries the token, one to another origin fails before it is sent',
  async (client) => {
    const { provider, call } = await setup(client)
    expect((await call('redirect?to=test')).statusCode).toBe(200)
    const elsewhere = `redirect?to=${encodeURIComponent(`${provider.invoice.baseURL}test`)}`
    await expect(call(elsewhere)).rejects.toMatchObject({ code: 'origin_not_allowed' })
    expect(provider.invoice.requests).toHaveLength(0)
    expect(provider.tokenRequests).toHaveLength(1)
  },
)

test('DPoP: after a nonce challenge the request is sent once more, and a revoked token is renewed', async () => {
  const { provider, api, statuses, call } = await setup('dpop')
  api.noncePolicy = 'rotated'
  for (let number = 0; number < 3; number++) {
    expect((await call('test', { searchParams: { number } })).statusCode).toBe(200)
  }
  expect(statuses()).toEqual([401, 200, 200, 200])
  provider.revokeIssued()
  expect((await call.post('echo', { json: {} })).statusCode).toBe(200)
  expect(provider.tokenRequests).toHaveLength(2)
})

test('another origin, and a token that cannot be had: the call fails with the code, and no API gets a request', async () => {
  const { provider, tokens, api, call } = await setup()
  await expect(call(provider.invoice.baseURL)).rejects.toMatchObject({ code: 'origin_not_allowed' })
  expect(provider.tokenRequests).toHaveLength(0)
  tokens.addClient('wrong', { ...definitionsFor(provider)['catalog.client'], scope: 'invoice' })
  const wrong = withTokens(got, tokens, 'wrong', [api.origin])
  const error = await wrong(`${api.baseURL}list`).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'token_request_failed', cause: { error: 'invalid_scope' } })
  expect([api.requests.length, provider.invoice.requests.length]).toEqual([0, 0])
})

test('an abort ends the wait for the token', async () => {
  const { provider, api, call } = await setup()
  provider.tokenEndpointFaults.fail(1, 'hang')
  const controller = new AbortController()
  const waiting = expect(call('test', { signal: controller.signal })).rejects.toThrow()
  await expect.poll(() => provider.tokenRequests.length).toBe(1)
  controller.abort()
  await waiting
  expect(api.requests).toHaveLength(0)
})

test('errors do not print the token', async () => {
  const { api, call } = await setup('catalog.client', { throwHttpErrors: true, retry: { limit: 0 } })
  for (const fault of [{ status: 500 }, 'reset'] as const) {
    api.faults.fail(1, fault)
    const error = await call('list').catch((thrown) => thrown)
    expect(api.requests.at(-1)?.headers.authorization).toMatch(/^Bearer ey/)
    expect(inspect(error, { depth: 9 })).not.toContain('Bearer')
    expect(JSON.stringify(error)).not.toContain('Bearer')
  }
})

test('a page after the other', async () => {
  const { provider, api, statuses, call } = await setup()
  const pages = call.paginate(`${api.baseURL}list`, {
    prefixUrl: '',
    pagination: {
      transform: ({ body }) => JSON.parse(String(body)),
      paginate({ currentItems }) {
        provider.revokeIssued()
        return currentItems.length > 3 ? false : { searchParams: { page: 2 } }
      },
      countLimit: 6,
    },
  })
  let items = 0
  for await (const _item of pages) items++
  expect(items).toBe(6)
  expect(statuses()).toEqual([200, 401, 200])
})
