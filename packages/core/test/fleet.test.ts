import { createTokenManager, type TokenResponse, type TokenStore } from '@tokenward/core'
import { expect, test } from 'vitest'
import { definition, ScriptedEndpoint, settle, TestClock } from './support'

/** A store that leases, as Redis does, by the test's clock: what is the subject here is how the processes use it. */
class LeasingStore implements TokenStore {
  readonly entries = new Map<string, string>()
  readonly #leases = new Map<string, { id: object; until: number }>()
  readonly #now: () => number
  leased = 0

  constructor(now: () => number) {
    this.#now = now
  }

  get = (key: string) => this.entries.get(key)
  set = (key: string, value: string) => void this.entries.set(key, value)
  delete = (key: string) => {
    this.entries.delete(key)
    this.#leases.delete(key)
  }

  lease = (key: string, leaseMs: number, seen?: string) => {
    const value = this.entries.get(key)
    if (value !== undefined && value !== seen) return { value }
    const held = this.#leases.get(key)
    if (held && this.#now() < held.until) return undefined
    this.leased++
    const id = {}
    this.#leases.set(key, { id, until: this.#now() + leaseMs })
    const end = () => this.#leases.get(key)?.id === id && this.#leases.delete(key)
    return {
      lease: {
        commit: (entry: string) => {
          const { until = 0 } = this.#leases.get(key) ?? {}
          if (this.#now() >= until || !end()) return false
          this.entries.set(key, entry)
          return true
        },
        release: () => void end(),
      },
    }
  }
}

function fleet() {
  const clock = new TestClock()
  const store = new LeasingStore(clock.monotonic)
  const endpoint = new ScriptedEndpoint(clock)
  const start = (requester = endpoint) =>
    createTokenManager({
      clients: { c: { ...definition, timeoutMs: 5_000 } },
      requester,
      clock,
      random: () => 0.5,
      store,
    })
  return { clock, store, endpoint, start }
}

test('32 processes that start cold at once make one token request', async () => {
  const { clock, endpoint, start } = fleet()
  endpoint.latencyMs = 100
  const all = Promise.all(Array.from({ length: 32 }, () => start().getAccessToken('c')))
  await clock.advance(400)
  expect(new Set((await all).map(({ value }) => value))).toEqual(new Set(['token-1']))
  expect(endpoint.requests).toHaveLength(1)
})

test('a renewal ahead is done by one process; the others take its token', async () => {
  const { clock, endpoint, start } = fleet()
  const processes = Array.from({ length: 8 }, () => start())
  await Promise.all(processes.map((each) => each.getAccessToken('c')))
  await clock.advance(85_000)
  endpoint.latencyMs = 100
  await Promise.all(processes.map((each) => each.getAccessToken('c')))
  await clock.advance(400)
  const values = await Promise.all(processes.map(async (each) => (await each.getAccessToken('c')).value))
  expect(new Set(values)).toEqual(new Set(['token-2']))
  expect(endpoint.requests).toHaveLength(2)
})

test('a rejected token is replaced once for all', async () => {
  const { clock, endpoint, start } = fleet()
  const processes = Array.from({ length: 8 }, () => start())
  const tokens = await Promise.all(processes.map((each) => each.getAccessToken('c')))
  endpoint.latencyMs = 100
  const replaced = Promise.all(
    processes.map(async (each, index) => {
      const token = tokens[index]
      if (token) await each.rejectAccessToken('c', token)
      return (await each.getAccessToken('c')).value
    }),
  )
  await clock.advance(400)
  expect(new Set(await replaced)).toEqual(new Set(['token-2']))
  expect(endpoint.requests).toHaveLength(2)
})

test('a lease-holder that dies is replaced after the lease', async () => {
  const { clock, store, start } = fleet()
  // What a killed process leaves behind is its lease.
  store.lease(await keyOfC(), 6_000)
  let value = ''
  const waiting = start()
    .getAccessToken('c')
    .then((token) => {
      value = token.value
    })
  await clock.advance(5_900)
  expect(value).toBe('')
  await clock.advance(300)
  await waiting
  expect(value).toBe('token-1')
})

test('one that comes late does not overwrite a newer token', async () => {
  const { clock, store, start } = fleet()
  const slow = new ScriptedEndpoint(clock)
  let arrive: (response: TokenResponse) => void = () => {}
  slow.answerNext(
    () =>
      new Promise((resolve) => {
        arrive = resolve
      }),
  )
  const late = start(slow).getAccessToken('c')
  await settle()
  // Deleting takes the lease away, as its end would; the next one renews meanwhile.
  store.delete(await keyOfC())
  expect((await start().getAccessToken('c')).value).toBe('token-1')
  await settle()
  arrive({ access_token: 'late', token_type: 'Bearer', expires_in: 100 })
  expect((await late).value).toBe('late')
  await settle()
  expect([...store.entries.values()].join()).toContain('token-1')
})

test('a token request that fails releases the lease: the next process tries at once', async () => {
  const { clock, endpoint, start } = fleet()
  endpoint.answerNext(new TypeError('fetch failed'), new TypeError('fetch failed'), new TypeError('fetch failed'))
  const failing = expect(start().getAccessToken('c')).rejects.toMatchObject({ error: 'network_error' })
  await clock.advance(1_000)
  await failing
  const next = start().getAccessToken('c')
  await clock.advance(10)
  expect((await next).value).toBe('token-4')
})

test.each<[string, () => unknown]>([
  ['throws', () => Promise.reject(new Error('down'))],
  ['hangs', () => new Promise(() => {})],
])('a lease that %s costs the store limit, once, and no call', async (_what, lease) => {
  const { clock, endpoint } = fleet()
  const store = { get: () => undefined, set() {}, delete() {}, lease: lease as NonNullable<TokenStore['lease']> }
  const tokens = createTokenManager({ clients: { c: definition }, requester: endpoint, clock, store })
  const token = tokens.getAccessToken('c')
  await clock.advance(250)
  expect((await token).value).toBe('token-1')
})

/** The key of the token, as a store is asked for it. */
async function keyOfC(): Promise<string> {
  let key = ''
  const get = (asked: string) => {
    key = asked
    return undefined
  }
  const tokens = createTokenManager({
    clients: { c: definition },
    requester: new ScriptedEndpoint(new TestClock()),
    store: { get, set() {}, delete() {} },
  })
  await tokens.getAccessToken('c')
  return key
}
