import type { StoreLease, TokenStore } from '@tokenward/core'
import { addToGroup, takeGroup } from './group-scripts'
import { commitLease, releaseLease, takeLease } from './lease-scripts'
import { LostLeases } from './lost-leases'
import type { RedisClient } from './redis-client'
import { withoutArguments } from './safe-error'
import { sha1 } from './script'

/** Clocks differ: what an index lists stays in it for this long after its time. */
const GRACE_MS = 3_600_000

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * What every key begins with, so that several applications can use one Redis. No braces: in a Cluster they would
   * decide where all keys go. Default `tokenward:`.
   */
  keyPrefix?: string | undefined
}

/** A `TokenStore` that can lease, and that knows groups. */
export type RedisStore = Readonly<Required<TokenStore>>

/**
 * Keeps tokens in Redis, where every process of a fleet finds them, and lets one of them renew. Entries leave by
 * themselves. **Tokens are there in clear text**; `encryptedStore` of `@tokenward/store-encrypted` changes that.
 *
 * The client (`Redis` or `Cluster` of ioredis 5 or 6, Sentinel included) is the caller's, who closes it as well. How
 * long a command may take is the token manager's `storeTimeoutMs`, whatever the client's own options are.
 *
 * @throws TypeError when `client` is no ioredis client, or `keyPrefix` is no string or has braces.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): RedisStore {
  const { keyPrefix = 'tokenward:' } = options
  for (const method of ['get', 'set', 'del', 'eval'] as const) {
    if (typeof client?.[method] !== 'function') {
      throw new TypeError(`redisStore: client must be an ioredis client, which has the method ${method}`)
    }
  }
  if (typeof keyPrefix !== 'string' || /[{}]/.test(keyPrefix)) {
    throw new TypeError('redisStore: keyPrefix must be a string without braces')
  }
  // In a Cluster, what is in braces decides the place, and a script's keys must be in one place.
  const valueKey = (key: string) => `${keyPrefix}{${key}}`
  const leaseKey = (key: string) => `${valueKey(key)}:lease`
  const lost = new LostLeases()
  const groupKey = (group: string) => `${keyPrefix}group:{${group}}`

  async function write(redisKey: string, value: string, ttlMs: number): Promise<void> {
    const milliseconds = wholeMs(ttlMs)
    if (milliseconds > 0) await client.set(redisKey, value, 'PX', milliseconds)
    else await client.del(redisKey)
  }

  /** Lists the key in the index of its group, because a search through all of Redis would cost too much. */
  async function addTo(group: string | undefined, key: string, ttlMs: number): Promise<void> {
    const now = Date.now()
    const until = Math.min(now + wholeMs(ttlMs), Number.MAX_SAFE_INTEGER / 2)
    if (group === undefined || until <= now) return
    await addToGroup.run(client, [groupKey(group)], [key, String(until), String(now - GRACE_MS)])
  }

  function storeLease(key: string, id: string): StoreLease {
    return Object.freeze({
      commit: (value: string, ttlMs: number, group?: string) =>
        withoutArguments('commit', async () => {
          // A script's arguments are shown by tracing and slow logs. So the token goes by SET, to a place where nobody
          // looks, and the script moves it. What a crash leaves there expires like any token.
          const draftKey = `${valueKey(key)}:draft:${id}`
          await Promise.all([write(draftKey, value, ttlMs), addTo(group, key, ttlMs)])
          const moved = await commitLease.run(client, [valueKey(key), leaseKey(key), draftKey], [id])
          // Not `=== 1`: clients with `stringNumbers` get a string.
          return Number(moved) === 1
        }),
      release: () =>
        withoutArguments('release', async () => {
          await releaseLease.run(client, [leaseKey(key)], [id])
        }),
    })
  }

  async function remove(key: string): Promise<void> {
    await client.del(valueKey(key), leaseKey(key))
  }

  return Object.freeze({
    get: (key: string) => withoutArguments('get', async () => (await client.get(valueKey(key))) ?? undefined),
    set: (key: string, value: string, ttlMs: number, group?: string) =>
      withoutArguments('set', async () => {
        await Promise.all([write(valueKey(key), value, ttlMs), addTo(group, key, ttlMs)])
      }),
    // The lease too: a token that was asked for before the deletion must not come back after it.
    delete: (key: string) => withoutArguments('delete', () => remove(key)),
    deleteGroup: (group: string) =>
      withoutArguments('deleteGroup', async () => {
        const members = await takeGroup.run(client, [groupKey(group)], [])
        await Promise.all((members as string[]).map(remove))
      }),
    lease: (key: string, leaseMs: number, staleValue?: string) =>
      withoutArguments('lease', async () => {
        const id = crypto.randomUUID()
        const unusable = staleValue === undefined ? '' : await sha1(staleValue)
        const keys = [valueKey(key), leaseKey(key)]
        const args = [unusable, id, String(Math.max(1, wholeMs(leaseMs))), ...lost.idsOf(key)]
        const asked = takeLease.run(client, keys, args)
        // Given up by the client, the command may still be on its way to Redis; often this comes right behind it.
        asked.catch(() => {
          lost.add(key, id, leaseMs)
          releaseLease.run(client, [leaseKey(key)], [id]).catch(() => {})
        })
        const answer = await asked
        const [kind, value] = answer as [kind: string, value?: string]
        if (kind === 'value' && value !== undefined) return { value }
        if (kind !== 'lease') return undefined
        lost.clear(key)
        return { lease: storeLease(key, id) }
      }),
  })
}

/** Redis takes whole milliseconds only; rounded down, as nothing may outlive its time. */
function wholeMs(ms: number): number {
  return Math.floor(Math.min(ms, Number.MAX_SAFE_INTEGER))
}
