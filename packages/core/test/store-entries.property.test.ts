import { createTokenManager, type TokenStore } from '@tokenward/core'
import { LeasingStore, runs, slow } from '@tokenward/test-support'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { definition, ScriptedEndpoint, TestClock } from './support'

/** An entry as core writes it, of which any member may be anything. */
interface Change {
  readonly member: string
  readonly value: unknown
}
const change: fc.Arbitrary<Change> = fc.record({
  member: fc.constantFrom(
    ...[
      'v',
      'key',
      'client',
      'value',
      'type',
      'scope',
      'expiresAt',
      'lifetimeMs',
      'refreshInMs',
      'assumed',
      '__proto__',
    ],
  ),
  value: fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(0, -1, 1e300, 9e15, '', 'planted', 'Bearer', 'DPoP', 'N_A', 'c', 'a\r\nb', 'x'.repeat(300_000)),
  ),
})

/** What somebody does to an entry. */
const tampering = fc.oneof(
  { weight: 5, arbitrary: fc.array(change, { minLength: 1, maxLength: 4 }).map(changed) },
  fc.json().map((json) => () => json),
  fc.string().map((text) => () => text),
  fc.constantFrom(
    (text: string) => text.slice(0, -5),
    (text: string) => `${text}${text}`,
    () => 'null',
    () => '[]',
  ),
)

function changed(changes: readonly Change[]) {
  return (text: string) => {
    const entry = JSON.parse(text)
    for (const { member, value } of changes) {
      Object.defineProperty(entry, member, { value, enumerable: true, configurable: true })
    }
    return JSON.stringify(entry)
  }
}

/** What a store does in place of what it should do. */
const misbehaviour = fc.oneof(
  fc.anything().map((value) => () => value),
  fc.anything().map((value) => async () => value),
  fc.anything().map((thrown) => () => {
    throw thrown
  }),
  fc.anything().map((thrown) => () => Promise.reject(thrown)),
  fc.constant(() => new Promise(() => {})),
  fc.anything().map((value) => () => ({ value })),
  fc.anything().map((lease) => () => ({ lease })),
  fc.record({ commit: fc.func(fc.anything()), release: fc.func(fc.anything()) }).map((lease) => () => ({ lease })),
  fc.anything().map((unreadable) => () => ({ lease: { commit: () => true, release() {} }, unreadable })),
)
const METHODS = ['get', 'set', 'delete', 'lease', 'deleteGroup'] as const

/** Shorter than what a clock waits by default, because there are many cases. The key of a token is a hash, made in another thread. */
const soon = async () => {
  await crypto.subtle.digest('SHA-256', new Uint8Array(1))
  for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('whatever is in a store and whatever it does, each call gets a token that fits', slow, async () => {
  const scenario = fc.record({
    tamper: tampering,
    broken: fc.dictionary(fc.constantFrom(...METHODS), misbehaviour, { maxKeys: 3 }),
    withLeases: fc.boolean(),
    waitMs: fc.constantFrom(0, 5_000, 95_000, 200_000),
  })
  await fc.assert(
    fc.asyncProperty(scenario, async ({ tamper, broken, withLeases, waitMs }) => {
      const clock = new TestClock(soon)
      const inner = new LeasingStore(clock.monotonic)
      const endpoint = new ScriptedEndpoint(clock)
      const methods = METHODS.filter((name) => withLeases || !['lease', 'deleteGroup'].includes(name))
      const store = Object.fromEntries(
        methods.map((name) => [name, (...args: never[]) => (inner[name] as (...all: never[]) => unknown)(...args)]),
      ) as unknown as TokenStore
      const start = () => {
        const clients = { c: definition }
        return createTokenManager({
          clients,
          requester: endpoint,
          clock,
          random: () => 0.5,
          store,
          localLifetimeMs: 1_000,
        })
      }
      const get = async (tokens: ReturnType<typeof start>, options: object) => {
        let result: unknown
        let returnedAt = 0
        const settled = tokens.getAccessToken('c', options).then(
          (token) => {
            result = token
            returnedAt = clock.now()
          },
          (error) => {
            result = error
          },
        )
        for (let step = 0; step < 120 && result === undefined; step++) await clock.advance(1_000)
        await settled
        expect(result).toMatchObject({ client: 'c', type: 'Bearer', value: expect.stringMatching(/^[\x21-\x7e]+$/) })
        const { expiresAt, scope } = result as { expiresAt?: Date; scope?: unknown }
        expect(expiresAt === undefined || expiresAt.getTime() > returnedAt).toBe(true)
        expect(scope === undefined || typeof scope === 'string').toBe(true)
      }
      const first = start()
      await get(first, {})
      await soon()
      for (const entry of inner.values.values()) entry.value = tamper(entry.value)
      for (const [name, misbehave] of Object.entries(broken)) Object.assign(store, { [name]: misbehave })
      if (!withLeases) Object.assign(store, { lease: undefined, deleteGroup: undefined })
      await clock.advance(waitMs)
      const second = start()
      await Promise.all([get(first, {}), get(second, {})])
      await get(second, { forceRenewal: true })
      await within(clock, first.clear('c'))
      await Promise.all([within(clock, first.close()), within(clock, second.close())])
      await clock.advance(10_000)
      expect(clock.pendingTimers).toBe(0)
    }),
    runs(200),
  )
})

/** Ends when `work` does, which waits for timers of the clock. */
async function within(clock: TestClock, work: Promise<unknown>): Promise<void> {
  let isDone = false
  const done = work.finally(() => {
    isDone = true
  })
  for (let step = 0; step < 120 && !isDone; step++) await clock.advance(1_000)
  expect(isDone).toBe(true)
  await done
}
