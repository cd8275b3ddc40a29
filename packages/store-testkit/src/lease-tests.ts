import type { LeaseResult, StoreLease, TokenStore } from '@tokenward/core'
import { type Conformance, MINUTE } from './conformance'
import { expectSame, expectThere } from './expectations'

type LeasingStore = TokenStore & Required<Pick<TokenStore, 'lease'>>

const CALLERS = 50

/** One process of a fleet renews, the others wait; who is late, loses. */
export function leaseTests(conformance: Conformance, supportsLease: boolean, supportsExpiry: boolean): void {
  const { outlast, shortestTtlMs } = conformance
  if (!supportsLease) {
    conformance.check('it cannot lease, so it has no lease', async (store) => {
      expectSame('lease', store.lease, undefined)
    })
    return
  }
  function check(name: string, body: (store: LeasingStore, newKey: () => string) => Promise<void>): void {
    conformance.check(`lease: ${name}`, async (store, newKey) => {
      expectThere('lease (a store that cannot has `supportsLease: false`)', store.lease)
      await body(store as LeasingStore, newKey)
    })
  }

  check(`of ${CALLERS} that ask at once for what is not there, one may renew`, async (store, newKey) => {
    const key = newKey()
    const [first, ...more] = leases(await atOnce(() => store.lease(key, MINUTE)))
    expectSame('leases beyond the first', more.length, 0)
    const lease = expectThere('a lease', first)
    expectSame('commit', await lease.commit('value', MINUTE), true)
    for (const result of await atOnce(() => store.lease(key, MINUTE))) expectValue(result, 'value')
  })

  check(`of ${CALLERS} that ask at once and have seen the value, one may renew`, async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'seen', MINUTE)
    const results = await atOnce(() => store.lease(key, MINUTE, 'seen'))
    expectSame('leases', leases(results).length, 1)
    expectSame('results', results.filter((result) => result !== undefined).length, 1)
    expectSame('get, meanwhile', await store.get(key), 'seen')
  })

  check('where there is a value, there is no lease', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'value', MINUTE)
    for (const result of await atOnce(() => store.lease(key, MINUTE))) expectValue(result, 'value')
  })

  check('who has seen another value gets the newer one, also while somebody renews it', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'newer', MINUTE)
    expectValue(await store.lease(key, MINUTE, 'older'), 'newer')
    await lease(store, key, MINUTE, 'newer')
    expectValue(await store.lease(key, MINUTE, 'older'), 'newer')
    expectValue(await store.lease(key, MINUTE), 'newer')
    expectSame('an result to who has seen the newer one, too', await store.lease(key, MINUTE, 'newer'), undefined)
  })

  check('a value that was seen is known again, whatever is in it', async (store, newKey) => {
    for (const value of ['', '0', 'für 令牌 🔑 \u0000\r\n', 'a long one 🔑 '.repeat(1_000)]) {
      const key = newKey()
      const held = await lease(store, key, MINUTE)
      expectSame('commit', await held.commit(value, MINUTE), true)
      expectSame('get', await store.get(key), value)
      expectValue(await store.lease(key, MINUTE, `${value} `), value)
      expectThere('a lease for who has seen it', (await store.lease(key, MINUTE, value))?.lease)
    }
  })

  check('the lease of one key is no lease of another', async (store, newKey) => {
    await lease(store, newKey(), MINUTE)
    await lease(store, newKey(), MINUTE)
  })

  check('commit keeps the value, in place of the one before, and ends the lease', async (store, newKey) => {
    const key = newKey()
    await store.set(key, 'before', MINUTE)
    const held = await lease(store, key, MINUTE, 'before')
    expectSame('commit', await held.commit('after', MINUTE), true)
    expectSame('get', await store.get(key), 'after')
    await lease(store, key, MINUTE, 'after')
  })

  check('a second commit of one lease keeps nothing', async (store, newKey) => {
    const key = newKey()
    const held = await lease(store, key, MINUTE)
    await held.commit('first', MINUTE)
    expectSame('the second commit', await held.commit('second', MINUTE), false)
    expectSame('get', await store.get(key), 'first')
  })

  if (supportsExpiry) {
    check('what was committed is gone when its time is over', async (store, newKey) => {
      const key = newKey()
      const held = await lease(store, key, MINUTE)
      await held.commit('value', shortestTtlMs + 0.5)
      await outlast()
      expectSame('get after its time', await store.get(key), undefined)
      await lease(store, key, MINUTE)
    })
  }

  check('release lets another one try, at once, and leaves the value alone', async (store, newKey) => {
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

  check('a holder that dies is replaced when its lease is over', async (store, newKey) => {
    const key = newKey()
    await lease(store, key, shortestTtlMs + 0.5)
    await outlast()
    expectSame('leases', leases(await atOnce(() => store.lease(key, MINUTE))).length, 1)
  })

  check('a commit after the lease is over keeps nothing', async (store, newKey) => {
    const key = newKey()
    const held = await lease(store, key, shortestTtlMs)
    await outlast()
    expectSame('the late commit', await held.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), undefined)
    await lease(store, key, MINUTE)
  })

  check('a deletion ends the lease: what was asked for before it does not come after it', async (store, newKey) => {
    const key = newKey()
    const held = await lease(store, key, MINUTE)
    await store.delete(key)
    expectSame('the commit after the deletion', await held.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), undefined)
    await lease(store, key, MINUTE)
  })

  check('a late commit does not disturb the one who took over', async (store, newKey) => {
    const key = newKey()
    const late = await lease(store, key, shortestTtlMs)
    await outlast()
    const next = await lease(store, key, MINUTE)
    expectSame('the late commit', await late.commit('late', MINUTE), false)
    expectSame('get after the late commit', await store.get(key), undefined)
    expectSame('an result to a third', await store.lease(key, MINUTE), undefined)
    expectSame('the commit of who took over', await next.commit('newer', MINUTE), true)
    expectSame('a late commit after that', await late.commit('late', MINUTE), false)
    expectSame('get', await store.get(key), 'newer')
  })

  check('a late release does not free the lease of the one who took over', async (store, newKey) => {
    const key = newKey()
    const late = await lease(store, key, shortestTtlMs)
    await outlast()
    const next = await lease(store, key, MINUTE)
    await late.release()
    expectSame('an result to a third', await store.lease(key, MINUTE), undefined)
    expectSame('the commit of who took over', await next.commit('value', MINUTE), true)
  })
}

function atOnce<T>(call: () => T): Promise<Awaited<T>[]> {
  return Promise.all(Array.from({ length: CALLERS }, call))
}

function leases(results: readonly (LeaseResult | undefined)[]): StoreLease[] {
  return results.flatMap((result) => result?.lease ?? [])
}

async function lease(store: LeasingStore, key: string, leaseMs: number, seen?: string): Promise<StoreLease> {
  // Not `seen: undefined` in its place: a store may well count its arguments.
  const result = await (seen === undefined ? store.lease(key, leaseMs) : store.lease(key, leaseMs, seen))
  return expectThere('a lease', result?.lease)
}

function expectValue(result: LeaseResult | undefined, value: string): void {
  expectSame('the value in the result', expectThere('an result', result).value, value)
  expectSame('a lease beside the value', result?.lease, undefined)
}
