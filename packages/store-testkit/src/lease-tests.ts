import type { LeaseResult, StoreLease, TokenStore } from '@tokenward/core'
import { type Conformance, MINUTE } from './conformance'
import { expectSame, expectThere } from './expectations'

type LeasingStore = TokenStore & Required<Pick<TokenStore, 'lease'>>

const CALLERS = 50

/** One process of a fleet renews while the others wait. A late process must not change anything. */
export function leaseTests(conformance: Conformance, supportsLease: boolean, supportsExpiry: boolean): void {
  const { outlast, shortestTtlMs } = conformance
  if (!supportsLease) {
    conformance.check('it has no lease (a store that has one says `supportsLease: true`)', async (store) => {
      expectSame('lease', store.lease, undefined)
    })
    return
  }
  function check(name: string, body: (store: LeasingStore, newKey: () => string) => Promise<void>): void {
    conformance.check(`lease: ${name}`, async (store, newKey) => {
      expectThere('lease (a store without it says `supportsLease: false`)', store.lease)
      await body(store as LeasingStore, newKey)
    })
  }

  check(`of ${CALLERS} calls at once for a missing value, one gets the lease`, async (store, newKey) => {
    const key = newKey()
    const [first, ...more] = leases(await atOnce(() => store.lease(key, MINUTE)))
    expectSame('leases beyond the first', more.length, 0)
    const lease = expectThere('a lease', first)
    expectSame('commit', await lease.commit('value', MINUTE), true)
    for (const result of await atOnce(() => store.lease(key, MINUTE))) expectValue(result, 'value')
  })

  check(
    `of ${CALLERS} calls at once whose stale value is the stored one, one gets the lease`,
    async (store, newKey) => {
      const key = newKey()
      await store.set(key, 'stale', MINUTE)
      const results = await atOnce(() => store.lease(key, MINUTE, 'stale'))
      expectSame('leases', leases(results).length, 1)
      expectSame('results', results.filter((result) => result !== undefined).length, 1)
      expectSame('get while the lease is held', await store.get(key), 'stale')
    },
  )

  check('a value is returned instead of a lease', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', MINUTE)
    for (const result of await atOnce(() => store.lease(key, MINUTE))) expectValue(result, 'value')
  })

  check(
    'a caller with another stale value gets the stored value, also while a lease is held',
    async (store, newKey) => {
      const key = newKey()
      await store.set(key, 'newer', MINUTE)
      expectValue(await store.lease(key, MINUTE, 'older'), 'newer')
      await lease(store, key, MINUTE, 'newer')
      expectValue(await store.lease(key, MINUTE, 'older'), 'newer')
      expectValue(await store.lease(key, MINUTE), 'newer')
      expectSame(
        'the result for a caller whose stale value is the stored one',
        await store.lease(key, MINUTE, 'newer'),
        undefined,
      )
    },
  )

  check('a stale value is recognised, whatever is in it', async (store, newKey) => {
    for (const value of ['', '0', 'für 令牌 🔑 \u0000\r\n', 'a long one 🔑 '.repeat(1_000)]) {
      const key = newKey()
      const held = await lease(store, key, MINUTE)
      expectSame('commit', await held.commit(value, MINUTE), true)
      expectSame('get', await store.get(key), value)
      expectValue(await store.lease(key, MINUTE, `${value} `), value)
      expectThere('a lease for a caller with that stale value', (await store.lease(key, MINUTE, value))?.lease)
    }
  })

  check('a lease of one key is not a lease of another', async (store, newKey) => {
    await lease(store, newKey(), MINUTE)
    await lease(store, newKey(), MINUTE)
  })

  check('commit replaces the value and ends the lease', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'before', MINUTE)
    const held = await lease(store, key, MINUTE, 'before')
    expectSame('commit', await held.commit('after', MINUTE), true)
    expectSame('get', await store.get(key), 'after')
    await lease(store, key, MINUTE, 'after')
  })

  check('a second commit of one lease stores nothing', async (store, newKey) => {
    const key = newKey()
    const held = await lease(store, key, MINUTE)
    await held.commit('first', MINUTE)
    expectSame('the second commit', await held.commit('second', MINUTE), false)
    expectSame('get', await store.get(key), 'first')
  })

  if (supportsExpiry) {
    check('a committed value expires', async (store, newKey) => {
      const key = newKey()
      const held = await lease(store, key, MINUTE)
      await held.commit('value', shortestTtlMs + 0.5)
      await outlast()
      expectSame('get after its time', await store.get(key), undefined)
      await lease(store, key, MINUTE)
    })
  }

  check('release ends the lease at once and leaves the value alone', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', MINUTE)
    const held = await lease(store, key, MINUTE, 'value')
    await held.release()
    await held.release()
    expectSame('get', await store.get(key), 'value')
    await lease(store, key, MINUTE, 'value')
    expectSame('commit after release', await held.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), 'value')
  })

  check('a lease that is neither committed nor released ends after its time', async (store, newKey) => {
    const key = newKey()
    await lease(store, key, shortestTtlMs + 0.5)
    await outlast()
    expectSame('leases', leases(await atOnce(() => store.lease(key, MINUTE))).length, 1)
  })

  check('a commit after the lease has ended stores nothing', async (store, newKey) => {
    const key = newKey()
    const held = await lease(store, key, shortestTtlMs)
    await outlast()
    expectSame('the late commit', await held.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), undefined)
    await lease(store, key, MINUTE)
  })

  check('a deletion ends the lease, so a token requested before it is not stored after it', async (store, newKey) => {
    const key = newKey()
    const held = await lease(store, key, MINUTE)
    await store.delete(key)
    expectSame('the commit after the deletion', await held.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), undefined)
    await lease(store, key, MINUTE)
  })

  check('a late commit does not change the lease or the value of the next holder', async (store, newKey) => {
    const key = newKey()
    const late = await lease(store, key, shortestTtlMs)
    await outlast()
    const next = await lease(store, key, MINUTE)
    expectSame('the late commit', await late.commit('late', MINUTE), false)
    expectSame('get after the late commit', await store.get(key), undefined)
    expectSame('the result for a third caller', await store.lease(key, MINUTE), undefined)
    expectSame('the commit of the next holder', await next.commit('newer', MINUTE), true)
    expectSame('another late commit', await late.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), 'newer')
  })

  check('a late release does not end the lease of the next holder', async (store, newKey) => {
    const key = newKey()
    const late = await lease(store, key, shortestTtlMs)
    await outlast()
    const next = await lease(store, key, MINUTE)
    await late.release()
    expectSame('the result for a third caller', await store.lease(key, MINUTE), undefined)
    expectSame('the commit of the next holder', await next.commit('value', MINUTE), true)
  })
}

function atOnce<T>(call: () => T): Promise<Awaited<T>[]> {
  return Promise.all(Array.from({ length: CALLERS }, call))
}

function leases(results: readonly (LeaseResult | undefined)[]): StoreLease[] {
  return results.flatMap((result) => result?.lease ?? [])
}

async function lease(store: LeasingStore, key: string, leaseMs: number, staleValue?: string): Promise<StoreLease> {
  // Without the argument when there is no stale value, because a store may count its arguments.
  const result = await (staleValue === undefined ? store.lease(key, leaseMs) : store.lease(key, leaseMs, staleValue))
  return expectThere('a lease', result?.lease)
}

function expectValue(result: LeaseResult | undefined, value: string): void {
  expectSame('the value in the result', expectThere('a result', result).value, value)
  expectSame('a lease beside the value', result?.lease, undefined)
}
