import type { LeaseResult, StoreLease, TokenStore } from '@tokenward/core'
import { type Conformance, MINUTE } from './conformance'
import { expectDefined, expectSame } from './expectations'

type LeasingStore = TokenStore & Required<Pick<TokenStore, 'lease'>>

const CALLERS = 50

/** With leases, one process of a fleet renews a token while the others wait. A late process must not change anything. */
export function leaseTests(conformance: Conformance, supportsLease: boolean, supportsExpiry: boolean): void {
  const { outlast, shortestTtlMs } = conformance
  if (!supportsLease) {
    conformance.check('the store has no lease (or leave out `supportsLease: false`)', async (store) => {
      expectSame('lease', store.lease, undefined)
    })
    return
  }
  function check(name: string, body: (store: LeasingStore, newKey: () => string) => Promise<void>): void {
    conformance.check(`lease: ${name}`, async (store, newKey) => {
      expectDefined('lease (set `supportsLease: false` for a store without it)', store.lease)
      await body(store as LeasingStore, newKey)
    })
  }

  check(`of ${CALLERS} concurrent callers for a key without a value, one gets the lease`, async (store, newKey) => {
    const key = newKey()
    const [first, ...others] = leasesIn(await concurrently(() => store.lease(key, MINUTE)))
    expectSame('number of further leases', others.length, 0)
    const held = expectDefined('a lease', first)
    expectSame('commit', await held.commit('value', MINUTE), true)
    for (const result of await concurrently(() => store.lease(key, MINUTE))) expectValue(result, 'value')
  })

  check(`of ${CALLERS} concurrent callers with the same staleValue, one gets the lease`, async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'stale', MINUTE)
    const results = await concurrently(() => store.lease(key, MINUTE, 'stale'))
    expectSame('number of leases', leasesIn(results).length, 1)
    expectSame('number of results', results.filter((result) => result !== undefined).length, 1)
    expectSame('get while the lease is held', await store.get(key), 'stale')
  })

  check('the value is returned instead of a lease', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', MINUTE)
    for (const result of await concurrently(() => store.lease(key, MINUTE))) expectValue(result, 'value')
  })

  check(
    'a value other than staleValue is returned, also while another caller holds the lease',
    async (store, newKey) => {
      const key = newKey()
      await store.set(key, 'newer', MINUTE)
      expectValue(await store.lease(key, MINUTE, 'older'), 'newer')
      await takeLease(store, key, MINUTE, 'newer')
      expectValue(await store.lease(key, MINUTE, 'older'), 'newer')
      expectValue(await store.lease(key, MINUTE), 'newer')
      expectSame(
        'result for a second caller with the same staleValue',
        await store.lease(key, MINUTE, 'newer'),
        undefined,
      )
    },
  )

  check('staleValue is recognized, whatever characters it holds', async (store, newKey) => {
    for (const value of ['', '0', 'für 令牌 🔑 \u0000\r\n', 'a long one 🔑 '.repeat(1_000)]) {
      const key = newKey()
      const held = await takeLease(store, key, MINUTE)
      expectSame('commit', await held.commit(value, MINUTE), true)
      expectSame('get', await store.get(key), value)
      expectValue(await store.lease(key, MINUTE, `${value} `), value)
      expectDefined('a lease with the value as staleValue', (await store.lease(key, MINUTE, value))?.lease)
    }
  })

  check('a lease on one key does not affect another key', async (store, newKey) => {
    await takeLease(store, newKey(), MINUTE)
    await takeLease(store, newKey(), MINUTE)
  })

  check('commit replaces the value and ends the lease', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'before', MINUTE)
    const held = await takeLease(store, key, MINUTE, 'before')
    expectSame('commit', await held.commit('after', MINUTE), true)
    expectSame('get', await store.get(key), 'after')
    await takeLease(store, key, MINUTE, 'after')
  })

  check('a second commit of the same lease keeps nothing', async (store, newKey) => {
    const key = newKey()
    const held = await takeLease(store, key, MINUTE)
    await held.commit('first', MINUTE)
    expectSame('the second commit', await held.commit('second', MINUTE), false)
    expectSame('get', await store.get(key), 'first')
  })

  if (supportsExpiry) {
    check('a committed value expires after its time to live', async (store, newKey) => {
      const key = newKey()
      const held = await takeLease(store, key, MINUTE)
      await held.commit('value', shortestTtlMs + 0.5)
      await outlast()
      expectSame('get after the time to live', await store.get(key), undefined)
      await takeLease(store, key, MINUTE)
    })
  }

  check('release ends the lease at once and does not change the value', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', MINUTE)
    const held = await takeLease(store, key, MINUTE, 'value')
    await held.release()
    await held.release()
    expectSame('get', await store.get(key), 'value')
    await takeLease(store, key, MINUTE, 'value')
    expectSame('commit after release', await held.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), 'value')
  })

  check('a lease ends after its time, so that a holder that died is replaced', async (store, newKey) => {
    const key = newKey()
    await takeLease(store, key, shortestTtlMs + 0.5)
    await outlast()
    expectSame('number of leases', leasesIn(await concurrently(() => store.lease(key, MINUTE))).length, 1)
  })

  check('a commit after the lease has ended keeps nothing', async (store, newKey) => {
    const key = newKey()
    const held = await takeLease(store, key, shortestTtlMs)
    await outlast()
    expectSame('the late commit', await held.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), undefined)
    await takeLease(store, key, MINUTE)
  })

  check('delete ends the lease, so that a token from before is not kept after it', async (store, newKey) => {
    const key = newKey()
    const held = await takeLease(store, key, MINUTE)
    await store.delete(key)
    expectSame('commit after delete', await held.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), undefined)
    await takeLease(store, key, MINUTE)
  })

  check('a late commit does not affect the next holder', async (store, newKey) => {
    const key = newKey()
    const late = await takeLease(store, key, shortestTtlMs)
    await outlast()
    const next = await takeLease(store, key, MINUTE)
    expectSame('the late commit', await late.commit('late', MINUTE), false)
    expectSame('get after the late commit', await store.get(key), undefined)
    expectSame('result for a third caller', await store.lease(key, MINUTE), undefined)
    expectSame('commit of the next holder', await next.commit('newer', MINUTE), true)
    expectSame('another late commit', await late.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), 'newer')
  })

  check('a late release does not end the lease of the next holder', async (store, newKey) => {
    const key = newKey()
    const late = await takeLease(store, key, shortestTtlMs)
    await outlast()
    const next = await takeLease(store, key, MINUTE)
    await late.release()
    expectSame('result for a third caller', await store.lease(key, MINUTE), undefined)
    expectSame('commit of the next holder', await next.commit('value', MINUTE), true)
  })
}

function concurrently<T>(call: () => T): Promise<Awaited<T>[]> {
  return Promise.all(Array.from({ length: CALLERS }, call))
}

function leasesIn(results: readonly (LeaseResult | undefined)[]): StoreLease[] {
  return results.flatMap((result) => result?.lease ?? [])
}

async function takeLease(store: LeasingStore, key: string, leaseMs: number, staleValue?: string): Promise<StoreLease> {
  // Passes no `undefined`, because a store may count its arguments.
  const result = await (staleValue === undefined ? store.lease(key, leaseMs) : store.lease(key, leaseMs, staleValue))
  return expectDefined('a lease', result?.lease)
}

function expectValue(result: LeaseResult | undefined, value: string): void {
  expectSame('value in the result', expectDefined('a result', result).value, value)
  expectSame('lease in the same result', result?.lease, undefined)
}
