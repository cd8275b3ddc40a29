import type { TokenStore } from '@tokenward/core'
import { type Conformance, MINUTE } from './conformance'
import { expectSame, expectThere } from './expectations'

type GroupingStore = TokenStore & Required<Pick<TokenStore, 'deleteGroup'>>

const MANY = 1_200

/** All tokens of one client can be forgotten by who does not know their keys. */
export function groupTests(conformance: Conformance, supportsGroups: boolean): void {
  if (!supportsGroups) {
    conformance.check('it has no deleteGroup (a store that has one says `supportsGroups: true`)', async (store) => {
      expectSame('deleteGroup', store.deleteGroup, undefined)
    })
    return
  }
  function check(name: string, body: (store: GroupingStore, newKey: () => string) => Promise<void>): void {
    conformance.check(`group: ${name}`, async (store, newKey) => {
      expectThere('deleteGroup', store.deleteGroup)
      await body(store as GroupingStore, newKey)
    })
  }

  check('what was kept in a group goes with it, and nothing else', async (store, newKey) => {
    const [group, otherGroup] = [newKey(), newKey()]
    const [one, two, other, ungrouped] = [newKey(), newKey(), newKey(), newKey()]
    await store.set(one, 'value', MINUTE, group)
    await store.set(two, 'value', MINUTE, group)
    await store.set(other, 'value', MINUTE, otherGroup)
    await store.set(ungrouped, 'value', MINUTE)
    await store.deleteGroup(group)
    expectSame('get of one of the group', await store.get(one), undefined)
    expectSame('get of another of the group', await store.get(two), undefined)
    expectSame('get of one of another group', await store.get(other), 'value')
    expectSame('get of one without a group', await store.get(ungrouped), 'value')
  })

  check('it can be kept in again, and go again', async (store, newKey) => {
    const [group, key] = [newKey(), newKey()]
    await store.deleteGroup(group)
    for (const value of ['first', 'second']) {
      await store.set(key, value, MINUTE, group)
      await store.set(key, value, MINUTE, group)
      expectSame('get', await store.get(key), value)
      await store.deleteGroup(group)
      expectSame('get after deleteGroup', await store.get(key), undefined)
    }
  })

  check(`a group of ${MANY} goes as a whole`, async (store, newKey) => {
    const group = newKey()
    const keys = Array.from({ length: MANY }, newKey)
    await Promise.all(keys.map((key) => store.set(key, 'value', MINUTE, group)))
    await store.deleteGroup(group)
    const left = (await Promise.all(keys.map((key) => store.get(key)))).filter((value) => value !== undefined)
    expectSame('values that are left', left.length, 0)
  })

  check('a short-lived entry does not take the others out of the group', async (store, newKey) => {
    const [group, long, short] = [newKey(), newKey(), newKey()]
    await store.set(long, 'value', MINUTE, group)
    await store.set(short, 'value', conformance.shortestTtlMs, group)
    await conformance.outlast()
    await store.deleteGroup(group)
    expectSame('get', await store.get(long), undefined)
  })

  check('deleting a group ends a lease on a key that has no value yet', async (store, newKey) => {
    if (!store.lease) return
    const [group, key] = [newKey(), newKey()]
    const held = expectThere('a lease', (await store.lease(key, MINUTE, undefined, group))?.lease)
    await store.deleteGroup(group)
    expectSame('commit after deleteGroup', await held.commit('late', MINUTE, group), false)
    expectSame('get', await store.get(key), undefined)
  })

  check('what is committed under a lease is in its group; its deletion ends leases', async (store, newKey) => {
    if (!store.lease) return
    const [group, key] = [newKey(), newKey()]
    const first = expectThere('a lease', (await store.lease(key, MINUTE))?.lease)
    expectSame('commit', await first.commit('value', MINUTE, group), true)
    const second = expectThere('a lease', (await store.lease(key, MINUTE, 'value'))?.lease)
    await store.deleteGroup(group)
    expectSame('get', await store.get(key), undefined)
    expectSame('commit of what was asked for before', await second.commit('late', MINUTE, group), false)
    expectSame('get', await store.get(key), undefined)
  })
}
