import diagnostics from 'node:diagnostics_channel'
import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { LeasingStore } from '@tokenward/test-support'
import { expect, onTestFinished, test } from 'vitest'
import { definition, EVENTS, recordEvents, ScriptedEndpoint, scripted, settle, TestClock } from './support'

const unavailable = () =>
  new TokenRequestError({ client: 'catalog.client', error: 'server_error', status: 503, retryable: true })
const refused = () => new TokenRequestError({ client: 'catalog.client', error: 'invalid_client', retryable: false })

/** A manager with a call that advances the test's clock until it has ended. */
function started(options: Parameters<typeof scripted>[0] = {}) {
  const all = scripted(options)
  const call = async (...args: Parameters<typeof all.tokens.getAccessToken>) => {
    const result = all.tokens.getAccessToken(...args).catch((error: TokenRequestError) => error)
    await settle()
    return result
  }
  return { ...all, call }
}

const names = (events: readonly { name: string }[]) => events.map(({ name }) => name)

test('tokenRetrieved says why the token was retrieved, and its lifetime', async () => {
  const { tokens, clock, call } = started()
  const events = recordEvents(tokens, 'tokenRetrieved')
  const reasons = () => events.splice(0).map(({ event }) => event)
  await call('catalog.client')
  expect(reasons()).toMatchObject([{ reason: 'first', source: 'endpoint', lifetimeMs: 100_000, durationMs: 0 }])
  await clock.advance(81_000)
  await call('catalog.client')
  expect(reasons()).toMatchObject([{ reason: 'ahead' }])
  await clock.advance(101_000)
  await call('catalog.client')
  expect(reasons()).toMatchObject([{ reason: 'expired' }])
  await call('catalog.client', { forceRenewal: true })
  expect(reasons()).toMatchObject([{ reason: 'forced' }])
  await tokens.rejectAccessToken('catalog.client', await tokens.getAccessToken('catalog.client'))
  await call('catalog.client')
  expect(reasons()).toMatchObject([{ reason: 'rejected' }])
})

test('a token that another process deleted in the store is retrieved again as replaced', async () => {
  const store = new LeasingStore()
  const { tokens, clock, call } = started({ store })
  const events = recordEvents(tokens, 'tokenRetrieved')
  await call('catalog.client')
  store.values.clear()
  await clock.advance(61_000)
  await call('catalog.client')
  expect(events.map(({ event }) => event)).toMatchObject([{ reason: 'first' }, { reason: 'replaced' }])
})

test('the new token can be had when tokenRetrieved is emitted', async () => {
  const { tokens, clock, call } = started()
  const seen: Promise<string>[] = []
  tokens.on('tokenRetrieved', () => void seen.push(tokens.getAccessToken('catalog.client').then(({ value }) => value)))
  await call('catalog.client')
  await clock.advance(81_000)
  await call('catalog.client')
  expect(await Promise.all(seen)).toEqual(['token-1', 'token-2'])
})

test('tokenUsed counts every call by where its token came from, with the remaining lifetime', async () => {
  const store = new LeasingStore()
  const { tokens, clock, call, endpoint } = started({ store })
  const events = recordEvents(tokens, 'tokenUsed')
  const uses = () => events.splice(0).map(({ event }) => event)
  await call('catalog.client')
  await clock.advance(10_000)
  await call('catalog.client')
  await call('catalog.client', { minValidityMs: 1_000 })
  const memory = { client: 'catalog.client', source: 'memory', remainingMs: 90_000 }
  expect(uses()).toEqual([{ client: 'catalog.client', source: 'endpoint', remainingMs: 100_000 }, memory, memory])
  const other = createTokenManager({ clients: { 'catalog.client': definition }, requester: endpoint, clock, store })
  const otherEvents = recordEvents(other, 'tokenUsed')
  await other.getAccessToken('catalog.client')
  expect(otherEvents).toMatchObject([{ event: { source: 'store' } }])
})

test('calls that were made before anyone listened to tokenUsed do not hide the next ones', async () => {
  const { tokens, call } = started()
  for (let times = 0; times < 3; times++) await call('catalog.client')
  const events = recordEvents(tokens, 'tokenUsed')
  await call('catalog.client')
  expect(events).toHaveLength(1)
})

test('an outage: each change of state is one event, however many calls there are', async () => {
  const { tokens, clock, endpoint, call } = started()
  await call('catalog.client')
  const events = recordEvents(tokens)
  const news = () => {
    const changes = events.splice(0).filter(({ name }) => !/tokenRequestFailed|renewalStarted|HalfOpened/.test(name))
    return changes.filter(({ name, event }) => !(name === 'circuitOpened' && event.wasOpen))
  }
  endpoint.respondAlways(unavailable())
  const expiresAt = new Date('2030-01-01T00:01:40Z')
  await clock.advance(81_000)
  for (let second = 0; second < 15; second++) {
    await call('catalog.client')
    await clock.advance(1_000)
  }
  const during = news()
  expect(names(during).sort()).toEqual(['circuitOpened', 'renewalFailed'])
  expect(during).toContainEqual({
    name: 'renewalFailed',
    event: {
      client: 'catalog.client',
      error: expect.objectContaining({ error: 'server_error' }),
      expiresAt,
      isFirst: true,
    },
  })
  expect(during).toContainEqual({
    name: 'circuitOpened',
    event: {
      client: 'catalog.client',
      endpoint: 'https://as.example/token',
      error: expect.objectContaining({ status: 503 }),
      retryAfterMs: expect.any(Number),
      wasOpen: false,
    },
  })
  await clock.advance(10_000)
  for (let second = 0; second < 20; second++) {
    const result = call('catalog.client')
    await clock.advance(1_000)
    expect(await result).toBeInstanceOf(TokenRequestError)
  }
  expect(news()).toMatchObject([{ name: 'tokenUnavailable', event: { error: { error: 'server_error' } } }])
  endpoint.respondAlways(undefined)
  await clock.advance(6_000)
  await call('catalog.client')
  const after = news()
  expect(names(after)).toEqual(['circuitClosed', 'tokenRetrieved', 'tokenRecovered'])
  expect(after).toMatchObject([{ event: { endpoint: 'https://as.example/token' } }, {}, {}])
  for (const { event } of after) if ('failedForMs' in event) expect(event.failedForMs).toBeGreaterThan(45_000)
})

test('each test of an endpoint that fails is circuitHalfOpened, and circuitOpened with wasOpen', async () => {
  const { tokens, clock, endpoint } = started()
  endpoint.respondAlways(unavailable())
  const events = recordEvents(tokens, 'circuitOpened', 'circuitHalfOpened', 'circuitClosed')
  const first = tokens.getAccessToken('catalog.client').catch(() => undefined)
  await clock.advance(3_000)
  await first
  await tokens.getAccessToken('catalog.client').catch(() => undefined)
  expect(events).toMatchObject([
    { name: 'circuitOpened', event: { wasOpen: false } },
    { name: 'circuitHalfOpened' },
    { name: 'circuitOpened', event: { wasOpen: true } },
  ])
})

test('a wrong secret: tokenUnavailable once, and tokenRecovered when it is mended', async () => {
  const { tokens, clock, endpoint, call } = started()
  const events = recordEvents(tokens, 'tokenUnavailable', 'tokenRecovered', 'renewalFailed')
  endpoint.respondAlways(refused())
  for (let second = 0; second < 20; second++) {
    await call('catalog.client')
    await clock.advance(1_000)
  }
  expect(names(events)).toEqual(['tokenUnavailable'])
  endpoint.respondAlways(undefined)
  await clock.advance(31_000)
  await call('catalog.client')
  expect(events.slice(1)).toEqual([
    { name: 'tokenRecovered', event: { client: 'catalog.client', failedForMs: 51_000, isLast: true } },
  ])
})

test('another reason is news: an outage that turns out to be a wrong secret', async () => {
  const { tokens, clock, endpoint, call } = started()
  const events = recordEvents(tokens, 'tokenUnavailable')
  endpoint.respondAlways(unavailable())
  const first = call('catalog.client')
  await clock.advance(3_000)
  await first
  endpoint.respondAlways(refused())
  await clock.advance(6_000)
  await call('catalog.client')
  expect(events).toMatchObject([
    { event: { error: { error: 'server_error' } } },
    { event: { error: { error: 'invalid_client' } } },
  ])
})

test('several tokens of one client fail: the first of them, and the last that recovers, say so', async () => {
  const { clock, endpoint, tokens } = scripted()
  const events = recordEvents(tokens, 'tokenUnavailable', 'tokenRecovered')
  const both = async () => {
    const calls = ['wide', 'narrow'].map((scope) => tokens.getAccessToken('catalog.client', { scope }))
    await Promise.all([Promise.allSettled(calls), clock.advance(6_000)])
  }
  endpoint.respondAlways(unavailable())
  await both()
  await both()
  endpoint.respondAlways(undefined)
  await both()
  await both()
  expect(events).toMatchObject([
    { name: 'tokenUnavailable', event: { isFirst: true } },
    { name: 'tokenUnavailable', event: { isFirst: false } },
    { name: 'tokenRecovered', event: { isLast: false } },
    { name: 'tokenRecovered', event: { isLast: true } },
  ])
})

test('a forced renewal that fails while the token is good is no outage', async () => {
  const { tokens, clock, endpoint, call } = started()
  await call('catalog.client')
  const events = recordEvents(tokens, 'renewalFailed', 'tokenUnavailable')
  endpoint.respondAlways(refused())
  expect(await call('catalog.client', { forceRenewal: true })).toMatchObject({ error: 'invalid_client' })
  await clock.advance(1_000)
  expect(events).toEqual([])
})

test('an API that rejects one new token after the other: newTokenRejected once, and tokenAccepted', async () => {
  const { tokens, clock } = started()
  const origin = 'https://api.example'
  const events = recordEvents(tokens, 'tokenRejected', 'newTokenRejected', 'tokenAccepted')
  for (let second = 0; second < 5; second++) {
    await tokens.rejectAccessToken('catalog.client', await tokens.getAccessToken('catalog.client'), {}, origin)
    await clock.advance(400)
  }
  const client = 'catalog.client'
  expect(events.filter(({ name }) => name !== 'tokenRejected')).toEqual([
    { name: 'newTokenRejected', event: { client, origin } },
  ])
  expect(events.filter(({ name }) => name === 'tokenRejected').map(({ event }) => event)).toEqual([
    { client, origin, willRenew: true, isRepeated: false },
    { client, origin, willRenew: false, isRepeated: true },
    { client, origin, willRenew: false, isRepeated: true },
    { client, origin, willRenew: true, isRepeated: false },
    { client, origin, willRenew: false, isRepeated: true },
  ])
  events.length = 0
  tokens.acceptAccessToken(await tokens.getAccessToken('catalog.client'), origin)
  tokens.acceptAccessToken(await tokens.getAccessToken('catalog.client'), origin)
  expect(events).toEqual([{ name: 'tokenAccepted', event: { client, origin } }])
})

test('a token that was revoked, and whose successor the API accepts, is no misconfiguration', async () => {
  const { tokens } = started()
  const origin = 'https://api.example'
  const events = recordEvents(tokens, 'newTokenRejected', 'tokenAccepted')
  for (let time = 0; time < 3; time++) {
    const token = await tokens.getAccessToken('catalog.client')
    tokens.acceptAccessToken(token, origin)
    await tokens.rejectAccessToken('catalog.client', token, {}, origin)
  }
  expect(events).toEqual([])
})

test('a secret that was rotated: the endpoint refused the old one, and accepted the next one', async () => {
  const secrets = ['old', 'old', 'new', 'new']
  const tokens = createTokenManager({
    clients: {
      c: {
        ...definition,
        clientSecret: async () => secrets.shift() ?? '',
        fetch: async (_input, init) =>
          new Headers(init?.headers).get('authorization') === `Basic ${btoa('client%2Did:new')}`
            ? Response.json({ access_token: 't', token_type: 'Bearer', expires_in: 60 })
            : Response.json({ error: 'invalid_client' }, { status: 401 }),
      },
    },
  })
  const events = recordEvents(tokens, 'secretRotated', 'tokenRequestFailed')
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({ error: 'invalid_client' })
  expect(names(events.splice(0))).toEqual(['tokenRequestFailed'])
  secrets.unshift('old')
  await expect.poll(() => tokens.getAccessToken('c').catch(() => undefined)).toBeDefined()
  expect(events).toEqual([{ name: 'secretRotated', event: { client: 'c', index: 0 } }])
})

test('a fleet: who waits for a lease, and who takes it over', async () => {
  const clock = new TestClock()
  const store = new LeasingStore(clock.monotonic)
  const endpoint = new ScriptedEndpoint(clock)
  endpoint.latencyMs = 100
  const start = () =>
    createTokenManager({
      clients: { c: { ...definition, timeoutMs: 5_000 } },
      requester: endpoint,
      clock,
      random: () => 0.5,
      store,
    })
  const [first, second] = [start(), start()]
  const firstEvents = recordEvents(first, 'leaseAwaited', 'leaseTakenOver')
  const secondEvents = recordEvents(second, 'leaseAwaited', 'leaseTakenOver')
  const call = first.getAccessToken('c')
  // The keys of both are hashed in other threads, so the second could be the faster one.
  await settle()
  const both = Promise.all([call, second.getAccessToken('c')])
  await clock.advance(400)
  await both
  expect([firstEvents.splice(0), secondEvents.splice(0)]).toEqual([
    [],
    [{ name: 'leaseAwaited', event: { client: 'c' } }],
  ])
  const [key = ''] = [...store.values.keys()]
  store.values.clear()
  // A killed process leaves its lease behind.
  store.lease(key, 6_000)
  const renewal = second.getAccessToken('c', { forceRenewal: true })
  await clock.advance(6_500)
  await renewal
  expect(secondEvents).toEqual([
    { name: 'leaseAwaited', event: { client: 'c' } },
    { name: 'leaseTakenOver', event: { client: 'c', waitedMs: expect.any(Number) } },
  ])
  // It looks from time to time, so it notices the end of the lease a little later.
  const waitedMs = Number(Object(secondEvents[1]?.event).waitedMs)
  expect(waitedMs).toBeGreaterThanOrEqual(6_000)
  expect(waitedMs).toBeLessThanOrEqual(6_750)
})

test('a store that fails and works again: storeRecovered once, with how long it failed', async () => {
  const store = new LeasingStore()
  const { tokens, clock, call } = started({ store })
  const events = recordEvents(tokens, 'storeFailed', 'storeRecovered')
  store.broken = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }))
  for (let second = 0; second < 5; second++) {
    await call('catalog.client', { forceRenewal: true })
    await clock.advance(1_000)
  }
  expect(new Set(names(events.splice(0)))).toEqual(new Set(['storeFailed']))
  store.broken = undefined
  await call('catalog.client', { forceRenewal: true })
  await call('catalog.client', { forceRenewal: true })
  expect(events).toEqual([{ name: 'storeRecovered', event: { failedForMs: 5_000 } }])
})

test('a store that can be read and refuses writes does not recover with every read', async () => {
  const store = new LeasingStore()
  const readOnly = {
    get: (key: string) => store.get(key),
    set: () => Promise.reject(Object.assign(new Error('read only'), { code: 'READONLY' })),
    delete: () => {},
  }
  const { tokens, clock, call } = started({ store: readOnly })
  const events = recordEvents(tokens, 'storeRecovered')
  for (let round = 0; round < 5; round++) {
    await call('catalog.client')
    await clock.advance(101_000)
  }
  expect(events).toEqual([])
})

test('diagnostics channels carry the same events', async () => {
  const published: { name: string; event: unknown }[] = []
  for (const name of Object.keys(EVENTS)) {
    const subscriber = (event: unknown) => void published.push({ name, event })
    diagnostics.subscribe(`tokenward:${name}`, subscriber)
    onTestFinished(() => void diagnostics.unsubscribe(`tokenward:${name}`, subscriber))
  }
  const { tokens, clock, endpoint, call } = started()
  const events = recordEvents(tokens, ...(Object.keys(EVENTS) as (keyof typeof EVENTS)[]))
  await call('catalog.client')
  endpoint.respondAlways(unavailable())
  await clock.advance(81_000)
  await call('catalog.client')
  await clock.advance(30_000)
  const failing = call('catalog.client')
  await clock.advance(10_000)
  await failing
  expect(published.length).toBeGreaterThan(5)
  expect(published).toEqual(events)
})

test('where the platform has no diagnostics_channel, events are emitted as usual', async () => {
  const { getBuiltinModule } = process
  onTestFinished(() => void Object.assign(process, { getBuiltinModule }))
  for (const replacement of [
    undefined,
    () => undefined,
    () => {
      throw new Error('not here')
    },
  ]) {
    Object.assign(process, { getBuiltinModule: replacement })
    const { tokens, call } = started()
    const events = recordEvents(tokens)
    await call('catalog.client')
    expect(names(events)).toEqual(['tokenRetrieved'])
  }
})

test('a listener that throws, or that unsubscribes another one, disturbs nobody', async () => {
  const { tokens, call } = started()
  const seen: string[] = []
  tokens.on('tokenRetrieved', () => {
    seen.push('first')
    stop()
    throw new Error('listener')
  })
  const stop = tokens.on('tokenRetrieved', async () => {
    seen.push('second')
    throw new Error('async listener')
  })
  await call('catalog.client')
  await call('catalog.client', { forceRenewal: true })
  expect(seen).toEqual(['first', 'second', 'first'])
})
