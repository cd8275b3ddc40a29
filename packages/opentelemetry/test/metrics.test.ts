import { readFileSync } from 'node:fs'
import { createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { instrument } from '@tokenward/opentelemetry'
import { catalogTokens, dpopTokens, LeasingStore } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { instrumented, recorder } from './support'

const CATALOG = { 'tokenward.client.name': 'catalog.client' }

/** The metrics in the README with their units. */
function documented(): Record<string, string> {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const rows = readme.matchAll(/^\| `(tokenward\.\S+)` \| [a-z-]+(?: counter)? \| `(\S+)` \|/gm)
  return Object.fromEntries([...rows].map(([, name, unit]) => [name, unit]))
}

test('every metric has the name and the unit that the README says, and a description', async () => {
  const { tokens, meterProvider, metrics } = instrumented()
  tokens.failNext('invoice.client', 'invalid_client')
  await tokens.getAccessToken('invoice.client').catch(() => {})
  for (let times = 0; times < 3; times++) {
    const token = await tokens.getAccessToken('catalog.client')
    await tokens.rejectAccessToken('catalog.client', token, {}, 'https://api.example')
  }
  const { api, start, provider } = await dpopTokens()
  const store = new LeasingStore()
  store.broken = () => Promise.reject(new Error('down'))
  const manager = start(true, { store })
  instrument(manager, { meterProvider })
  provider.requiresNonce = true
  await (await createFetch(manager, 'c', { baseURL: api.baseURL })('list')).text()
  const fetch = demanding(403, 'error="insufficient_scope", scope="write"')
  const options = { baseURL: 'https://api.example', fetch, stepUp: { scopes: ['write'] } }
  await createFetch(tokens, 'catalog.client', options)('list')

  const all = await metrics()
  expect(Object.fromEntries(Object.entries(all).map(([name, { unit }]) => [name, unit]))).toEqual(documented())
  for (const { description } of Object.values(all)) expect(description).toMatch(/^[A-Z].*\.$/)
})

test('uses are counted by the source of the token, with its remaining lifetime', async () => {
  const { tokens, metrics } = instrumented()
  await tokens.getAccessToken('catalog.client')
  await tokens.clock.advance(10_000)
  for (let times = 0; times < 3; times++) await tokens.getAccessToken('catalog.client')
  const { 'tokenward.token.uses': uses, 'tokenward.token.remaining_lifetime': remaining } = await metrics()
  expect(uses?.points).toEqual([
    { attributes: { ...CATALOG, 'tokenward.token.source': 'endpoint' }, value: 1 },
    { attributes: { ...CATALOG, 'tokenward.token.source': 'memory' }, value: 3 },
  ])
  expect(remaining?.points).toEqual([{ attributes: CATALOG, value: { count: 4, sum: 100 + 3 * 90 } }])
})

test('uses are counted also when the manager was used before it was instrumented, and no more after stop', async () => {
  const { tokens, stop, meterProvider, metrics } = instrumented()
  const uses = async () => (await metrics())['tokenward.token.uses']?.points.map(({ value }) => value)
  stop()
  for (let times = 0; times < 3; times++) await tokens.getAccessToken('catalog.client')
  expect(await uses()).toBeUndefined()
  const stopAgain = instrument(tokens, { meterProvider })
  for (let times = 0; times < 3; times++) await tokens.getAccessToken('catalog.client')
  expect(await uses()).toEqual([3])
  stopAgain()
  await tokens.getAccessToken('catalog.client')
  expect(await uses()).toEqual([3])
})

test('requests that an HTTP client sends with a token from memory are counted, each once', async () => {
  const { tokens, api } = await catalogTokens()
  const { meterProvider, metrics } = recorder()
  const catalog = createFetch(tokens, 'catalog.client', { baseURL: api.baseURL })
  await (await catalog('list')).text()
  instrument(tokens, { meterProvider })
  for (let times = 0; times < 5; times++) await (await catalog('list')).text()
  expect((await metrics())['tokenward.token.uses']?.points).toEqual([
    { attributes: { ...CATALOG, 'tokenward.token.source': 'memory' }, value: 5 },
  ])
})

test('token requests are counted by reason and outcome, failed ones by error', async () => {
  const { tokens, metrics } = instrumented()
  await tokens.getAccessToken('catalog.client')
  await tokens.clock.advance(81_000)
  await tokens.getAccessToken('catalog.client')
  await tokens.clock.advance(100_000)
  await tokens.getAccessToken('catalog.client')
  await tokens.rejectAccessToken('catalog.client', await tokens.getAccessToken('catalog.client'))
  await tokens.getAccessToken('catalog.client')
  tokens.failNext('catalog.client', 'invalid_scope')
  await tokens.getAccessToken('catalog.client', { forceRenewal: true }).catch(() => {})
  const success = (reason: string) => ({
    attributes: { ...CATALOG, 'tokenward.retrieval.reason': reason, 'tokenward.request.outcome': 'success' },
    value: 1,
  })
  const failure = {
    ...CATALOG,
    'tokenward.retrieval.reason': 'forced',
    'tokenward.request.outcome': 'failure',
    'error.type': 'invalid_scope',
  }
  expect((await metrics())['tokenward.token.requests']?.points).toEqual([
    success('first'),
    success('ahead'),
    success('expired'),
    success('rejected'),
    { attributes: failure, value: 1 },
  ])
})

test('retrievals have a duration in seconds, by source and reason, and the lifetime of their tokens', async () => {
  const { tokens, metrics } = instrumented()
  await tokens.getAccessToken('catalog.client')
  const { 'tokenward.retrieval.duration': duration, 'tokenward.token.lifetime': lifetime } = await metrics()
  const attributes = { ...CATALOG, 'tokenward.token.source': 'endpoint', 'tokenward.retrieval.reason': 'first' }
  expect(duration?.points).toEqual([{ attributes, value: { count: 1, sum: 0 } }])
  expect(lifetime?.points).toEqual([{ attributes: CATALOG, value: { count: 1, sum: 100 } }])
})

test('a 401 is counted by API and by whether a new token is requested, and an API that rejects new tokens once', async () => {
  const { tokens, metrics } = instrumented()
  for (let times = 0; times < 3; times++) {
    const token = await tokens.getAccessToken('catalog.client')
    await tokens.rejectAccessToken('catalog.client', token, {}, 'https://api.example:8443')
  }
  const { 'tokenward.api.rejections': all, 'tokenward.api.new_token_rejections': ofNewTokens } = await metrics()
  const api = { ...CATALOG, 'server.address': 'api.example' }
  expect(all?.points).toEqual([
    { attributes: { ...api, 'tokenward.rejection.renewed': true }, value: 1 },
    { attributes: { ...api, 'tokenward.rejection.renewed': false }, value: 2 },
  ])
  expect(ofNewTokens?.points).toEqual([{ attributes: api, value: 1 }])
})

/** The network is a stand-in: an API that responds with one status, and demands something by its challenge. */
const demanding = (status: number, challenge: string) => async () =>
  new Response(null, { status, headers: { 'www-authenticate': `Bearer ${challenge}` } })

test('a rejection has the error that the API named', async () => {
  const { tokens, metrics } = instrumented()
  const fetch = demanding(401, 'error="invalid_token"')
  await createFetch(tokens, 'catalog.client', { baseURL: 'https://api.example', fetch })('list')
  const reasons = (await metrics())['tokenward.api.rejections']?.points.map(
    ({ attributes }) => attributes['tokenward.rejection.reason'],
  )
  expect(reasons).toEqual(['invalid_token'])
})

test('demands of an API for a stronger token are counted, by reason and by whether stepUp allows them', async () => {
  const { tokens, metrics } = instrumented()
  const fetch = demanding(403, 'error="insufficient_scope", scope="write"')
  const options = { baseURL: 'https://api.example', fetch }
  await createFetch(tokens, 'catalog.client', { ...options, stepUp: { scopes: ['write'] } })('list')
  await createFetch(tokens, 'catalog.client', { ...options, stepUp: { scopes: ['other'] } })('list')
  const api = { ...CATALOG, 'server.address': 'api.example', 'tokenward.rejection.reason': 'insufficient_scope' }
  expect((await metrics())['tokenward.api.step_ups']?.points).toEqual([
    { attributes: { ...api, 'tokenward.step_up.allowed': true }, value: 1 },
    { attributes: { ...api, 'tokenward.step_up.allowed': false }, value: 1 },
  ])
})

test('the circuit is 1 in its state, and tokens that cannot be renewed are counted while they are valid and after', async () => {
  const { tokens, metrics } = instrumented()
  const state = async () => {
    const { 'tokenward.circuit.state': circuit, 'tokenward.token.failing': failing } = await metrics()
    const of = (points: typeof circuit, attribute: string) =>
      Object.fromEntries(
        points?.points
          .filter(({ attributes }) => attributes['tokenward.client.name'] === 'catalog.client')
          .map(({ attributes, value }) => [attributes[attribute], value]) ?? [],
      )
    return { circuit: of(circuit, 'tokenward.circuit.state'), failing: of(failing, 'tokenward.token.state') }
  }
  await tokens.getAccessToken('catalog.client')
  const healthy = { circuit: { closed: 1, half_open: 0, open: 0 }, failing: { valid: 0, unavailable: 0 } }
  expect(await state()).toEqual(healthy)
  tokens.failAlways('catalog.client', 'server_error')
  await tokens.clock.advance(81_000)
  for (let times = 0; times < 6; times++) {
    await tokens.getAccessToken('catalog.client')
    await tokens.clock.advance(2_000)
  }
  expect(await state()).toEqual({
    circuit: { closed: 0, half_open: 0, open: 1 },
    failing: { valid: 1, unavailable: 0 },
  })
  await tokens.clock.advance(100_000)
  await tokens.getAccessToken('catalog.client').catch(() => {})
  expect((await state()).failing).toEqual({ valid: 0, unavailable: 1 })
  tokens.recover('catalog.client')
  await tokens.clock.advance(60_000)
  await tokens.getAccessToken('catalog.client')
  expect(await state()).toEqual(healthy)
})

test('requests per lifetime is 1 for a healthy client, and more when tokens are replaced before their time', async () => {
  const { tokens, metrics } = instrumented()
  const ratio = async () => (await metrics())['tokenward.token.requests_per_lifetime']?.points
  for (let lifetime = 0; lifetime < 4; lifetime++) {
    await tokens.getAccessToken('catalog.client')
    await tokens.clock.advance(101_000)
  }
  expect(await ratio()).toEqual([{ attributes: CATALOG, value: 1 }])
  await tokens.getAccessToken('catalog.client', { forceRenewal: true })
  expect(await ratio()).toEqual([{ attributes: CATALOG, value: 1.25 }])
})

test('over processes with a shared store, the requests per lifetime add up to 1', async () => {
  const store = new LeasingStore()
  let number = 0
  const recorders = [recorder(), recorder()]
  for (const { meterProvider } of recorders) {
    const tokens = createTokenManager({
      clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 'secret' } },
      // A stand-in, because only the number of requests matters here.
      requester: { request: async () => ({ access_token: `t${++number}`, token_type: 'Bearer', expires_in: 60 }) },
      store,
    })
    instrument(tokens, { meterProvider })
    await tokens.getAccessToken('c')
  }
  const metrics = await Promise.all(recorders.map((each) => each.metrics()))
  const of = (name: string) => metrics.map((each) => each[name]?.points.map(({ value }) => value))
  expect(of('tokenward.token.requests_per_lifetime')).toEqual([[1], [0]])
  expect(metrics[1]?.['tokenward.token.uses']?.points).toMatchObject([
    { attributes: { 'tokenward.token.source': 'store' } },
  ])
})

test('failures of the store are counted by operation and error', async () => {
  const store = new LeasingStore()
  const { meterProvider, metrics } = recorder()
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 'secret' } },
    requester: { request: async () => ({ access_token: 't', token_type: 'Bearer', expires_in: 60 }) },
    store,
  })
  instrument(tokens, { meterProvider })
  store.broken = () => Promise.reject(Object.assign(new Error('connection refused'), { code: 'ECONNREFUSED' }))
  await tokens.getAccessToken('c')
  const attributes = { 'tokenward.store.operation': 'lease', 'error.type': 'ECONNREFUSED' }
  const { 'tokenward.store.failures': failures } = await metrics()
  expect(failures?.unit).toBe('{failure}')
  expect(failures?.points).toContainEqual({ attributes, value: 1 })
  await tokens.close()
})
