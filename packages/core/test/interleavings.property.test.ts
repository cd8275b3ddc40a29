import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { LeasingStore, runs, slow } from '@tokenward/test-support'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { definition, TestClock } from './support'

// Hashing runs in another thread, which makes each run slow. This replacement runs in the same thread, so that thousands of runs
// take seconds. Other tests use the real hash.
beforeAll(() => {
  vi.spyOn(crypto.subtle, 'digest').mockImplementation(async (_algorithm, data) => {
    const hash = new Uint8Array(32)
    const bytes = new Uint8Array(data as ArrayBuffer)
    bytes.forEach((byte, index) => {
      hash[index % 32] = ((hash[index % 32] ?? 0) * 31 + byte) & 0xff
    })
    return hash.buffer
  })
})
afterAll(() => vi.restoreAllMocks())

/** More than the longest chain of promises in core needs: a timer must not fire before the chain has ended. */
const turns = async () => {
  for (let turn = 0; turn < 100; turn++) await null
}

const KEYS = ['a', 'b']
const key = fc.constantFrom(...KEYS)
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('call' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('force' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('long' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reject' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      how: fc.constantFrom('transient', 'outage', 'final', 'hang'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('heal' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('latency' as const), ms: fc.constantFrom(0, 50, 700) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('store' as const), is: fc.constantFrom('up', 'down', 'hangs') }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('jump' as const), ms: fc.constantFrom(-7_200_000, 7_200_000) }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 40, 300, 900, 2_500, 12_000) }),
  },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const LIFETIME_MS = 10_000

type StoreKind = 'none' | 'plain' | 'leasing'

/** Runs one sequence of steps against one manager, and fails if an invariant is broken. */
async function play(steps: readonly Step[], seed: number, storeKind: StoreKind): Promise<void> {
  const clock = new TestClock(turns)
  const issued = new Map<string, { key: string; at: number }>()
  const inFlight = new Map<string, number>()
  const failures: string[] = []
  let latencyMs = 0
  let number = 0
  let random = seed
  const plain = () => {
    const entries = new Map<string, string>()
    return {
      get: (storeKey: string) => entries.get(storeKey),
      set: (storeKey: string, value: string) => void entries.set(storeKey, value),
      delete: (storeKey: string) => void entries.delete(storeKey),
    }
  }
  const leasing = new LeasingStore(clock.monotonic)
  const store = { none: undefined, plain: plain(), leasing }[storeKind]
  const tokens = createTokenManager({
    clients: { c: { ...definition, timeoutMs: 5_000 } },
    maxEntries: 100,
    clock,
    // The seed decides the sequence, so that a failing run can be repeated.
    random: () => {
      random = (random * 16_807) % 2_147_483_647
      return random / 2_147_483_647
    },
    ...(store && { store }),
    localLifetimeMs: 2_000,
    requester: {
      async request(_client, { scope = '', signal }) {
        const now = (inFlight.get(scope) ?? 0) + 1
        inFlight.set(scope, now)
        if (now > 1) throw new Error(`two requests in flight for ${scope}`)
        try {
          if (latencyMs > 0) await new Promise<void>((resolve) => clock.setTimeout(resolve, latencyMs))
          const failure = failures.shift()
          if (failure === 'hang') {
            await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          }
          if (failure) {
            const retryable = failure === 'transient'
            throw new TokenRequestError({ client: 'c', error: retryable ? 'server_error' : 'invalid_scope', retryable })
          }
          const value = `token-${++number}`
          issued.set(value, { key: scope, at: clock.monotonic() })
          return { access_token: value, token_type: 'Bearer', expires_in: LIFETIME_MS / 1_000 }
        } finally {
          inFlight.set(scope, (inFlight.get(scope) ?? 1) - 1)
        }
      },
    },
  })

  let waiting = 0
  let calls = 0
  const controllers: AbortController[] = []
  const latest = new Map<string, Awaited<ReturnType<typeof tokens.getAccessToken>>>()
  const wrong: string[] = []
  const call = (scope: string, options: object) => {
    const controller = new AbortController()
    controllers.push(controller)
    waiting++
    calls++
    tokens
      .getAccessToken('c', { scope, signal: controller.signal, ...options })
      .then(
        (token) => {
          const { key: owner, at } = issued.get(token.value) ?? { key: 'nobody', at: 0 }
          if (owner !== scope) wrong.push(`${token.value} of ${owner} reached a caller of ${scope}`)
          if (clock.monotonic() >= at + LIFETIME_MS) wrong.push(`${token.value} had expired`)
          latest.set(scope, token)
        },
        (error) => {
          const expected = error instanceof TokenRequestError || error === 'aborted'
          if (!expected || /in flight/.test(String(error.errorDescription))) wrong.push(`unexpected: ${error}`)
        },
      )
      .finally(() => waiting--)
  }

  for (const each of steps) {
    switch (each.do) {
      case 'call':
        call(each.key, {})
        break
      case 'force':
        call(each.key, { forceRenewal: true })
        break
      case 'long':
        call(each.key, { minValidityMs: 6_000 })
        break
      case 'abort':
        controllers.at(-1)?.abort('aborted')
        break
      case 'reject': {
        const token = latest.get(each.key)
        if (token) void tokens.rejectAccessToken('c', token, { scope: each.key })
        break
      }
      case 'delete':
        void tokens.deleteAccessToken('c', { scope: each.key })
        break
      case 'clear':
        void tokens.clear('c')
        break
      case 'fail':
        // Five failures are more than the retries of one call.
        failures.push(...(each.how === 'outage' ? Array<string>(5).fill('transient') : [each.how]))
        break
      case 'heal':
        failures.length = 0
        break
      case 'latency':
        latencyMs = each.ms
        break
      case 'jump':
        clock.jumpWallClock(each.ms)
        break
      case 'store':
        leasing.broken = {
          up: undefined,
          down: () => Promise.reject(new Error('down')),
          hangs: () => new Promise(() => {}),
        }[each.is]
        break
      case 'wait':
        await clock.advance(each.ms)
        break
    }
    await turns()
    for (const [scope, count] of inFlight) if (count > 1) wrong.push(`${count} requests in flight for ${scope}`)
  }
  await clock.advance(60_000)
  if (waiting > 0) wrong.push(`${waiting} of ${calls} callers never got a token or an error`)

  failures.length = 0
  latencyMs = 0
  leasing.broken = undefined
  await clock.advance(10_000)
  for (const scope of KEYS) {
    const last = tokens.getAccessToken('c', { scope, forceRenewal: true })
    const outcome = await Promise.race([last.then(() => 'a token', String), turns().then(() => 'nothing')])
    if (outcome !== 'a token') wrong.push(`from a healthy endpoint a caller got ${outcome}`)
  }
  await tokens.close()
  if (leasing.leaseCount > 0) wrong.push('a lease was not released')
  if (clock.pendingTimers > 0) wrong.push(`${clock.pendingTimers} timers were not cleared`)
  expect(wrong).toEqual([])
}

test.each<[string, StoreKind]>([
  ['without a store', 'none'],
  ['over a store without leases', 'plain'],
  ['over a store with leases that fails at times', 'leasing'],
])('random interleavings keep the invariants (%s)', slow, async (_what, storeKind) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), fc.integer({ min: 1, max: 1e9 }), (steps, seed) =>
      play(steps, seed, storeKind),
    ),
    runs(400),
  )
})
