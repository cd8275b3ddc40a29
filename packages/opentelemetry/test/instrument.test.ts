import { metrics, trace } from '@opentelemetry/api'
import { ConfigurationError, createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { type InstrumentOptions, instrument } from '@tokenward/opentelemetry'
import { catalogTokens, dpopTokens } from '@tokenward/test-support'
import { createTestTokens } from '@tokenward/testing'
import { expect, onTestFinished, test } from 'vitest'
import { instrumented, recorder } from './support'

test('a manager that is instrumented already is refused, because everything would be counted twice', async () => {
  const { tokens, stop, metrics, meterProvider, tracerProvider } = instrumented()
  expect(() => instrument(tokens, { meterProvider, tracerProvider })).toThrow(
    /^tokens: is instrumented already; call the function/,
  )
  await tokens.getAccessToken('catalog.client')
  expect((await metrics())['tokenward.token.uses']?.points.map(({ value }) => value)).toEqual([1])
  stop()
  stop()
  onTestFinished(instrument(tokens, { meterProvider }))
})

test('after stop, nothing is recorded, and the state is observed no more', async () => {
  const { tokens, stop, metrics, spans } = instrumented()
  await tokens.getAccessToken('catalog.client')
  const before = await metrics()
  stop()
  await tokens.getAccessToken('catalog.client', { forceRenewal: true })
  tokens.failNext('invoice.client', 'invalid_client')
  await tokens.getAccessToken('invoice.client').catch(() => {})
  const after = await metrics()
  expect(spans()).toHaveLength(1)
  for (const name of ['tokenward.token.uses', 'tokenward.token.requests']) expect(after[name]).toEqual(before[name])
  // The SDK goes on to export the last state that it knows: of a client that had not failed yet.
  expect(after['tokenward.token.failing']).toEqual(before['tokenward.token.failing'])
})

test('two managers of one process are told apart by attributes', async () => {
  const { meterProvider, tracerProvider, metrics, spans } = recorder()
  for (const region of ['eu', 'us']) {
    const tokens = createTestTokens({ clients: { c: {} } })
    onTestFinished(instrument(tokens, { meterProvider, tracerProvider, attributes: { region } }))
    await tokens.getAccessToken('c')
  }
  for (const { points } of Object.values(await metrics())) {
    expect(new Set(points.map(({ attributes }) => attributes.region))).toEqual(new Set(['eu', 'us']))
  }
  expect(spans().map(({ attributes }) => attributes.region)).toEqual(['eu', 'us'])
})

test('without providers the global ones are used, also when they are set later', async () => {
  const tokens = createTestTokens({ clients: { c: {} } })
  onTestFinished(instrument(tokens))
  await tokens.getAccessToken('c')
  const recorded = recorder()
  metrics.setGlobalMeterProvider(recorded.meterProvider)
  trace.setGlobalTracerProvider(recorded.tracerProvider)
  onTestFinished(() => {
    metrics.disable()
    trace.disable()
  })
  await tokens.getAccessToken('c', { forceRenewal: true })
  const { 'tokenward.token.requests': requests, 'tokenward.circuit.state': circuit } = await recorded.metrics()
  expect(requests?.points).toMatchObject([{ attributes: { 'tokenward.retrieval.reason': 'forced' }, value: 1 }])
  expect(circuit?.points).toHaveLength(3)
  expect(recorded.spans()).toHaveLength(1)
})

test('many clients, errors and APIs do not make any number of time series', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `tenant-${index}`)
  const clients = Object.fromEntries(names.map((name) => [name, {}]))
  const tokens = createTestTokens({ clients })
  const { meterProvider, tracerProvider, metrics, spans } = recorder()
  onTestFinished(instrument(tokens, { meterProvider, tracerProvider, maxClients: 10 }))
  for (const name of names) await tokens.getAccessToken(name)
  for (let index = 0; index < 30; index++) {
    tokens.failNext('tenant-0', `unusual_${index}`)
    await tokens.getAccessToken('tenant-0', { scope: `scope-${index}` }).catch(() => {})
    const token = await tokens.getAccessToken('tenant-0')
    await tokens.rejectAccessToken('tenant-0', token, {}, `https://api-${index}.example`)
  }
  tokens.failNext('tenant-0', 'invalid_client')
  await tokens.getAccessToken('tenant-0', { scope: 'another' }).catch(() => {})
  const values = async (metric: string, attribute: string) =>
    new Set((await metrics())[metric]?.points.map(({ attributes }) => attributes[attribute]))

  const shown = new Set([...names.slice(0, 10), '_OTHER'])
  expect(await values('tokenward.token.uses', 'tokenward.client.name')).toEqual(shown)
  expect(await values('tokenward.circuit.state', 'tokenward.client.name')).toEqual(shown)
  expect(new Set(spans().map(({ name }) => name)).size).toBe(11)
  const errors = await values('tokenward.token.requests', 'error.type')
  expect(errors).toContain('invalid_client')
  expect(errors.size).toBe(20 + '_OTHER, invalid_client, none'.split(', ').length)
  expect((await values('tokenward.api.rejections', 'server.address')).size).toBe(21)
  const circuits = (await metrics())['tokenward.circuit.state']?.points ?? []
  const others = circuits.filter(({ attributes }) => attributes['tokenward.client.name'] === '_OTHER')
  expect(others.map(({ value }) => value)).toEqual([2, 0, 0])
})

test('no metric and no span holds a token, a secret or a key', async () => {
  const { provider, tokens, api } = await catalogTokens({ tokenLifetimeSeconds: 60 })
  const dpop = await dpopTokens()
  const dpopManager = dpop.start()
  const recorded = recorder()
  const providers = { meterProvider: recorded.meterProvider, tracerProvider: recorded.tracerProvider }
  onTestFinished(instrument(tokens, providers))
  onTestFinished(instrument(dpopManager, providers))
  const secrets = [provider.client('catalog.client').clientSecret, dpop.provider.client('dpop.client').clientSecret]
  const fetches = createFetch(tokens, 'catalog.client', { baseURL: api.baseURL })
  const dpopFetches = createFetch(dpopManager, 'c', { baseURL: dpop.api.baseURL })
  dpop.provider.requiresNonce = true
  dpop.api.noncePolicy = 'required'
  await (await dpopFetches('list?code=query-secret')).text()
  await (await fetches('list?code=query-secret')).text()
  secrets.push((await tokens.getAccessToken('catalog.client')).value, (await dpopManager.getAccessToken('c')).value)
  provider.revokeIssued()
  await (await fetches('list')).text()
  secrets.push((await tokens.getAccessToken('catalog.client')).value)
  provider.tokenEndpointFaults.fail(1, {
    status: 400,
    body: { error: 'invalid_request', error_description: secrets[0] },
  })
  await tokens.getAccessToken('catalog.client', { forceRenewal: true }).catch(() => {})

  const { 'tokenward.nonce.retries': nonceRetries } = await recorded.metrics()
  expect(nonceRetries).toMatchObject({ unit: '{retry}' })
  expect(nonceRetries?.points).toEqual([
    { attributes: { 'tokenward.client.name': 'c', 'tokenward.nonce.requested_by': 'token_endpoint' }, value: 1 },
    { attributes: { 'tokenward.client.name': 'c', 'tokenward.nonce.requested_by': 'api' }, value: 1 },
  ])
  const text = await recorded.exported()
  expect(text).toContain('invalid_request')
  expect(text).toContain('acquire_token catalog.client')
  for (const secret of [...secrets, 'query-secret', 'eyJ']) expect(text).not.toContain(secret)
})

test.each<[string, () => unknown, RegExp]>([
  ['no manager', () => instrument({} as never), /^tokens: must be a token manager/],
  ['undefined', () => instrument(undefined as never), /^tokens: must be a token manager/],
  [
    'an unknown option',
    () => instrumentWith({ meter: 1 }),
    /^meter: is not an option of instrument; known: meterProvider/,
  ],
  [
    'a meter provider that is none',
    () => instrumentWith({ meterProvider: {} }),
    /^meterProvider: must have a method getMeter/,
  ],
  [
    'null as the tracer provider',
    () => instrumentWith({ tracerProvider: null }),
    /^tracerProvider: must have a method getTracer/,
  ],
  [
    'a wrong number of clients',
    () => instrumentWith({ maxClients: -1 }),
    /^maxClients: must be a whole number from 0, not -1/,
  ],
])('%s is refused', (_what, act, message) => {
  expect(act).toThrow(ConfigurationError)
  expect(act).toThrow(message)
})

function instrumentWith(options: object) {
  const tokens = createTokenManager({ clients: {} })
  return instrument(tokens, options as InstrumentOptions)
}
