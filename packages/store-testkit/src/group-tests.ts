import type { TokenStore } from '@tokenward/core'
import { type Conformance, MINUTE } from './conformance'
import { expectDefined, expectSame } from './expectations'

type GroupingStore = TokenStore & Required<Pick<TokenStore, 'deleteGroup'>>

const MANY = 1_200

/** With groups, a process can delete all tokens of a client without knowing their keys. */
export function groupTests(conformance: Conformance, supportsGroups: boolean): void {
  if (!supportsGroups) {
    conformance.check('the store has no deleteGroup (or set `supportsGroups: true`)', async (store) => {
      expectSame('deleteGroup', store.deleteGroup, undefined)
    })
    return
  }
  function check(name: string, body: (store: GroupingStore, newKey: () => string) => Promise<void>): void {
    conformance.check(`group: ${name}`, async (store, newKey) => {
      expectDefined('deleteGroup', store.deleteGroup)
      await body(store as GroupingStore, newKey)
    })
  }

  check('deleteGroup deletes every value of the group and nothing else', async (store, newKey) => {
    const [group, otherGroup] = [newKey(), newKey()]
    const [first, second, other, ungrouped] = [newKey(), newKey(), newKey(), newKey()]
    await store.set(first, 'value', MINUTE, group)
    await store.set(second, 'value', MINUTE, group)
    await store.set(other, 'value', MINUTE, otherGroup)
    await store.set(ungrouped, 'value', MINUTE)
    await store.deleteGroup(group)
    expectSame('get of the first key of the group', await store.get(first), undefined)
    expectSame('get of the second key of the group', await store.get(second), undefined)
    expectSame('get of a key of another group', await store.get(other), 'value')
    expectSame('get of a key without a group', await store.get(ungrouped), 'value')
  })

  check('a deleted group can be used and deleted again', async (store, newKey) => {
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

  check(`deleteGroup deletes a group of ${MANY} keys completely`, async (store, newKey) => {
    const group = newKey()
    const keys = Array.from({ length: MANY }, newKey)
    await Promise.all(keys.map((key) => store.set(key, 'value', MINUTE, group)))
    await store.deleteGroup(group)
    const left = (await Promise.all(keys.map((key) => store.get(key)))).filter((value) => value !== undefined)
    expectSame('number of values that are left', left.length, 0)
  })

  check('a value that expires does not remove the others from the group', async (store, newKey) => {
    const [group, long, short] = [newKey(), newKey(), newKey()]
    await store.set(long, 'value', MINUTE, group)
    await store.set(short, 'value', conformance.shortestTtlMs, group)
    await conformance.outlast()
    await store.deleteGroup(group)
    expectSame('get', await store.get(long), undefined)
  })

  check('deleteGroup ends a lease on a key that has no value yet', async (store, newKey) => {
    if (!store.lease) return
    const [group, otherGroup, key, other] = [newKey(), newKey(), newKey(), newKey()]
    const held = expectDefined('a lease', (await store.lease(key, MINUTE, undefined, group))?.lease)
    const otherHeld = expectDefined('a lease', (await store.lease(other, MINUTE, undefined, otherGroup))?.lease)
    await store.deleteGroup(group)
    expectSame('commit after deleteGroup', await held.commit('late', MINUTE, group), false)
    expectSame('get', await store.get(key), undefined)
    expectSame('commit of a lease in another group', await otherHeld.commit('value', MINUTE, otherGroup), true)
    expectDefined('a new lease', (await store.lease(key, MINUTE, undefined, group))?.lease)
  })

  check('deleteGroup deletes a value that was committed, and ends the next lease on its key', async (store, newKey) => {
    if (!store.lease) return
    const [group, key] = [newKey(), newKey()]
    // Without a group here, so that only the commit puts the key into its group.
    const first = expectDefined('a lease', (await store.lease(key, MINUTE))?.lease)
    expectSame('commit', await first.commit('value', MINUTE, group), true)
    const second = expectDefined('a lease', (await store.lease(key, MINUTE, 'value'))?.lease)
    await store.deleteGroup(group)
    expectSame('get', await store.get(key), undefined)
    expectSame('commit after deleteGroup', await second.commit('late', MINUTE, group), false)
    expectSame('get', await store.get(key), undefined)
  })
}
