import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { LeasingStore } from '@tokenward/test-support'
import { generateKeyPair } from 'jose'
import { expect, test } from 'vitest'
import { definition, ScriptedEndpoint, settle, TestClock } from './support'

async function fleet(client: object = {}) {
  const clock = new TestClock()
  const store = new LeasingStore(clock.monotonic)
  const endpoint = new ScriptedEndpoint(clock)
  const failures: string[] = []
  const start = (name = 'c', options: object = {}) => {
    const tokens = createTokenManager({
      clients: { [name]: { ...definition, ...client } },
      requester: endpoint,
      clock,
      random: () => 0.5,
      store,
      ...options,
    })
    tokens.on('storeFailed', ({ reason }) => failures.push(reason))
    return tokens
  }
  return { clock, store, endpoint, failures, start }
}

/** Changes these fields in every entry of the store. */
function tamper(store: LeasingStore, change: object): void {
  for (const entry of store.values.values()) entry.value = JSON.stringify({ ...JSON.parse(entry.value), ...change })
}

test('a Bearer token in the store is not used for a DPoP client', async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const { store, endpoint, failures, start } = await fleet({ dpop: { key: { privateKey, publicKey } } })
  endpoint.respondAlways({ token_type: 'DPoP' })
  await start().getAccessToken('c')
  await settle()
  tamper(store, { type: 'Bearer', value: 'planted' })
  expect(await start().getAccessToken('c')).toMatchObject({ type: 'DPoP', value: 'token-2' })
  expect(failures).toEqual(['invalid_entry'])
})

test('a DPoP token in the store is not used for a Bearer client', async () => {
  const { store, start } = await fleet()
  await start().getAccessToken('c')
  await settle()
  tamper(store, { type: 'DPoP', value: 'planted' })
  expect(await start().getAccessToken('c')).toMatchObject({ type: 'Bearer', value: 'token-2' })
})

test.each([
  [undefined, { type: 'Bearer', value: 'token-2' }],
  [true, { type: 'N_A', value: 'planted' }],
])('a token of type N_A in the store, with mayIssueNA %j of the requester', async (mayIssueNA, expected) => {
  const { store, endpoint, start } = await fleet()
  const requester = { mayIssueNA, request: endpoint.request.bind(endpoint) }
  await start('c', { requester }).getAccessToken('c')
  await settle()
  tamper(store, { type: 'N_A', value: 'planted' })
  expect(await start('c', { requester }).getAccessToken('c')).toMatchObject(expected)
})

/** Makes the store keep its entries for good. Some stores remove expired ones late or never, and a clock of theirs may be wrong. */
function keepForever(store: LeasingStore): void {
  for (const entry of store.values.values()) entry.until = Number.POSITIVE_INFINITY
}

test('an entry that names another client is not used', async () => {
  const { store, start } = await fleet()
  await start().getAccessToken('c')
  await settle()
  tamper(store, { client: 'another', value: 'planted' })
  expect(await start().getAccessToken('c')).toMatchObject({ client: 'c', value: 'token-2' })
})

test.each([
  ['far in the future', { until: 9e15, retryAfterMs: 9e15 }],
  ['with a text of its own', { errorDescription: 'call +1 900 SCAM', error: 'SCAM', client: 'SCAM' }],
])('a shared failure %s stops calls for at most 30 s, and its text is in no error', async (_what, change) => {
  const { clock, store, endpoint, start } = await fleet()
  endpoint.respondAlways(new TokenRequestError({ client: 'c', error: 'server_error', status: 503, retryable: true }))
  const first = start()
    .getAccessToken('c')
    .catch(() => {})
  await clock.advance(700)
  await first
  endpoint.respondAlways(undefined)
  tamper(store, change)
  const error = await start()
    .getAccessToken('c')
    .catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(TokenRequestError)
  expect((error as TokenRequestError).retryAfterMs).toBeLessThanOrEqual(30_000)
  expect(JSON.stringify(error) + String(error)).not.toContain('SCAM')
})

test.each([0, 400, 500])(
  'a shared failure of the status %d, which no process shares, stops no calls',
  async (status) => {
    const { clock, store, endpoint, start } = await fleet()
    endpoint.respondAlways(new TokenRequestError({ client: 'c', error: 'server_error', status: 503, retryable: true }))
    const first = start()
      .getAccessToken('c')
      .catch(() => {})
    await clock.advance(700)
    await first
    endpoint.respondAlways(undefined)
    tamper(store, { status })
    expect((await start().getAccessToken('c')).type).toBe('Bearer')
  },
)

test('a process without network does not stop the others: only responses of the endpoint are shared', async () => {
  const { clock, store, endpoint, start } = await fleet()
  endpoint.respondAlways(new TypeError('fetch failed'))
  const first = start()
    .getAccessToken('c')
    .catch(() => {})
  await clock.advance(2_000)
  await first
  await settle()
  expect([...store.values.keys()]).toEqual([])
  endpoint.respondAlways(undefined)
  expect((await start().getAccessToken('c')).type).toBe('Bearer')
})

test('a 429 that one process got stops all clients of that endpoint, also in other processes', async () => {
  const { clock, endpoint, start } = await fleet()
  endpoint.respondAlways(new TokenRequestError({ client: 'c', error: 'server_error', status: 429, retryable: true }))
  const first = start()
    .getAccessToken('c')
    .catch(() => {})
  await clock.advance(1_000)
  await first
  endpoint.respondAlways(undefined)
  const before = endpoint.requests.length
  await expect(start('d').getAccessToken('d')).rejects.toMatchObject({ client: 'd', status: 429 })
  expect(endpoint.requests.length).toBe(before)
})

test('a process whose wall clock is ten minutes behind uses no expired token: it knows the time of the server', async () => {
  const { clock, store, endpoint, start } = await fleet()
  endpoint.expiresIn = 60
  await start().getAccessToken('c')
  await settle()
  keepForever(store)
  // The clock of the second process is ten minutes behind.
  const behind = { now: () => clock.now() - 600_000, monotonic: clock.monotonic, setTimeout: clock.setTimeout }
  const second = start('c', {
    clock: behind,
    requester: {
      request: async (client: unknown, request: Parameters<typeof endpoint.request>[1]) => {
        request.serverTime?.(clock.now())
        return endpoint.request(client, request)
      },
    },
  })
  await second.getAccessToken('c', { scope: 'other' })
  await clock.advance(61_000)
  // Expired by the server's clock, but valid by that of the second process.
  expect((await second.getAccessToken('c')).value).toBe('token-3')
})

test('a slow response does not make a process read expiries by a clock that is behind', async () => {
  const { clock, store, endpoint, start } = await fleet()
  await start().getAccessToken('c')
  await settle()
  keepForever(store)
  const slow = start('c', {
    requester: {
      request: async (client: unknown, request: Parameters<typeof endpoint.request>[1]) => {
        // The server writes its time, and the response takes eight seconds.
        const serverTime = clock.now()
        const response = await endpoint.request(client, request)
        request.serverTime?.(serverTime)
        return response
      },
    },
  })
  endpoint.latencyMs = 8_000
  const other = slow.getAccessToken('c', { scope: 'other' })
  await clock.advance(8_000)
  await other
  expect((await slow.getAccessToken('c')).value).toBe('token-1')
  endpoint.latencyMs = 0
  endpoint.respondAlways(new TokenRequestError({ client: 'c', error: 'invalid_scope', retryable: false }))
  await clock.advance(93_000)
  await expect(slow.getAccessToken('c')).rejects.toMatchObject({ error: 'invalid_scope' })
})

test('revokeOnClose also revokes the tokens of clients that resolveClient returned', async () => {
  const clock = new TestClock()
  const endpoint = new ScriptedEndpoint(clock)
  const revoked: string[] = []
  const requester = {
    request: endpoint.request.bind(endpoint),
    revoke: async (_client: unknown, token: string) => {
      revoked.push(token)
      return true
    },
  }
  const tokens = createTokenManager({
    resolveClient: async () => definition,
    requester,
    clock,
    revokeOnClose: true,
  })
  await tokens.getAccessToken('tenant')
  const closing = tokens.close()
  await expect(tokens.getAccessToken('tenant', { scope: 'more' })).rejects.toMatchObject({ error: 'closed' })
  await closing
  expect(revoked).toEqual(['token-1'])
})

test('a token that another process requested before clear() is not used after it, whatever its scope', async () => {
  const { clock, endpoint, start } = await fleet()
  const [one, two] = [start(), start()]
  endpoint.latencyMs = 1_000
  const call = one.getAccessToken('c', { scope: 'other' })
  await clock.advance(500)
  await two.clear('c')
  await clock.advance(1_000)
  expect((await call).value).toBe('token-1')
  endpoint.latencyMs = 0
  expect((await two.getAccessToken('c', { scope: 'other' })).value).toBe('token-2')
})

test('a store whose value differs each time is asked at intervals, and does not keep the process busy', async () => {
  const { clock, store, start } = await fleet()
  let calls = 0
  // NaN is not equal to itself. After 1,000 calls the store gives up, so that this test ends.
  const lease = () => (++calls > 1_000 ? undefined : ({ value: Number.NaN } as never))
  const token = start('c', { store: Object.assign(store, { lease }) }).getAccessToken('c')
  await clock.advance(1_000)
  expect(calls).toBeLessThan(30)
  await clock.advance(60_000)
  expect(await token).toMatchObject({ value: 'token-1' })
})
