import type { LeaseResult, StoreLease, TokenStore } from '@tokenward/core'
import { addToGroup, forgetDeleted, MAX_UNTIL_MS, takeGroup } from './group-scripts'
import { commitLease, dropWrongType, MAX_VALUE_BYTES, releaseLease, takeLease } from './lease-scripts'
import { OrphanedLeases } from './orphaned-leases'
import type { RedisClient } from './redis-client'
import { RedisStoreError, withoutArguments } from './redis-store-error'
import { sha1 } from './script'

/** Clocks differ: a member of an index stays in it for this long after its time. */
const GRACE_MS = 3_600_000

/** A script with more arguments would stop Redis for too long. */
const MOST_ARGUMENTS = 1_000

/** Options of {@link redisStore}. */
export interface RedisStoreOptions {
  /**
   * The beginning of every key, so that several applications can use one Redis. No braces: in a Cluster they would decide on
   * which node all keys are. Default `tokenward:`.
   */
  keyPrefix?: string | undefined
}

/** A `TokenStore` with leases and groups. */
export type RedisStore = Readonly<Required<TokenStore>>

/**
 * Keeps tokens in Redis, where all processes of a fleet find them, and lets one process renew while the others wait. Entries
 * expire by themselves. **Tokens are stored in clear text**; `encryptedStore` of `@tokenward/store-encrypted` encrypts them.
 *
 * The client (`Redis` or `Cluster` of ioredis 5 or 6, Sentinel included) belongs to the caller, who closes it. The time limit of
 * a command is the token manager's `storeTimeoutMs`, whatever the client's own options are.
 *
 * @example
 * const tokens = createTokenManager({ clients, store: redisStore(new Redis(url)) })
 *
 * @throws TypeError when `client` is not an ioredis client, or `keyPrefix` is not a string or has braces
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
  // In a Cluster, the part in braces decides on which node a key is. The keys of a script have to be on one node.
  const valueKey = (key: string) => `${keyPrefix}{${key}}`
  const leaseKey = (key: string) => `${valueKey(key)}:lease`
  const stagingKey = (key: string, leaseId: string) => `${valueKey(key)}:staging:${leaseId}`
  const indexKey = (group: string) => `${keyPrefix}group:{${group}}`
  const deletingKey = (group: string) => `${indexKey(group)}:deleting`
  const orphaned = new OrphanedLeases()

  async function write(redisKey: string, value: string, ttlMs: number): Promise<void> {
    if (value.length > MAX_VALUE_BYTES) throw new RedisStoreError('set', 'value_too_large')
    const milliseconds = wholeMs(ttlMs)
    if (milliseconds > 0) await client.set(redisKey, value, 'PX', milliseconds)
    else await client.del(redisKey)
  }

  /**
   * Adds the key to the index of its group. A search through all keys of Redis would cost too much. Returns true when an index of
   * another type had to be replaced.
   */
  async function addTo(group: string | undefined, key: string, ttlMs: number): Promise<boolean> {
    const now = Date.now()
    const until = Math.min(now + wholeMs(ttlMs), MAX_UNTIL_MS)
    if (group === undefined || until <= now) return false
    const replaced = await addToGroup.run(client, [indexKey(group)], [key, String(until), String(now - GRACE_MS)])
    return Number(replaced) === 1
  }

  function storeLease(key: string, leaseId: string): StoreLease {
    return Object.freeze({
      commit: (value: string, ttlMs: number, group?: string) =>
        withoutArguments('commit', async () => {
          // Tracing and slow logs show a script's arguments. So SET writes the token to a staging key, and the script moves it.
          // After a crash, the staging key expires like any token.
          const staging = stagingKey(key, leaseId)
          await Promise.all([write(staging, value, ttlMs), addTo(group, key, ttlMs)])
          const moved = await commitLease.run(client, [valueKey(key), leaseKey(key), staging], [leaseId])
          // Not `=== 1`: a client with `stringNumbers` returns a string.
          return Number(moved) === 1
        }),
      release: () =>
        withoutArguments('release', async () => {
          await releaseLease.run(client, [leaseKey(key)], [leaseId])
        }),
    })
  }

  async function lease(key: string, leaseMs: number, staleValue?: string, group?: string) {
    const leaseId = crypto.randomUUID()
    const staleValueSha1 = staleValue === undefined ? '' : await sha1(staleValue)
    const ids = [leaseId, String(Math.max(1, wholeMs(leaseMs))), ...orphaned.idsOf(key)]
    const taking = takeLease.run(client, [valueKey(key), leaseKey(key)], [staleValueSha1, ...ids]).then(readTaken)
    // The client gave up, but the command may still be on its way to Redis. Often the release comes right behind it.
    taking.catch(() => {
      orphaned.add(key, leaseId, leaseMs)
      releaseLease.run(client, [leaseKey(key)], [leaseId]).catch(() => {})
    })
    const result = await taking
    if (result.state === 'value') return { value: result.value }
    if (result.state === 'wait') return undefined
    orphaned.clear(key)
    // In the index of the group too, so that deleting the group ends the lease. The token is requested after this, so a deletion
    // before this has nothing to end. When the index fails, the lease is still good.
    const wasIndexReplaced = await addTo(group, key, leaseMs).catch(() => false)
    const problem = result.problem ?? (wasIndexReplaced ? 'WRONGTYPE' : undefined)
    const unreadable = problem === undefined ? undefined : new RedisStoreError('lease', problem)
    return { lease: storeLease(key, leaseId), unreadable } satisfies LeaseResult
  }

  async function get(key: string): Promise<string | undefined> {
    try {
      const value: unknown = await withoutArguments('get', async () => client.get(valueKey(key)))
      if (value === null || value === undefined) return undefined
      if (typeof value === 'string') return value
    } catch (error) {
      // A key of another type would make each further `get` fail too.
      if (error instanceof RedisStoreError && error.code === 'WRONGTYPE') {
        await dropWrongType.run(client, [valueKey(key)], []).catch(() => {})
      }
      throw error
    }
    throw new RedisStoreError('get', 'unexpected_reply')
  }

  /** The lease is deleted too: a token that was requested before the deletion must not be written after it. */
  async function remove(key: string): Promise<void> {
    await client.del(valueKey(key), leaseKey(key))
  }

  return Object.freeze({
    get,
    set: (key: string, value: string, ttlMs: number, group?: string) =>
      withoutArguments('set', async () => {
        const [, wasIndexReplaced] = await Promise.all([write(valueKey(key), value, ttlMs), addTo(group, key, ttlMs)])
        // The value is kept. But the keys that were in the index are lost, and somebody should know.
        if (wasIndexReplaced) throw new RedisStoreError('set', 'WRONGTYPE')
      }),
    delete: (key: string) => withoutArguments('delete', () => remove(key)),
    deleteGroup: (group: string) =>
      withoutArguments('deleteGroup', async () => {
        const members = (await takeGroup.run(client, [indexKey(group), deletingKey(group)], [])) as string[]
        await Promise.all(members.map(remove))
        for (let first = 0; first < members.length; first += MOST_ARGUMENTS) {
          const deleted = members.slice(first, first + MOST_ARGUMENTS)
          await forgetDeleted.run(client, [deletingKey(group)], deleted)
        }
      }),
    lease: (key: string, leaseMs: number, staleValue?: string, group?: string) =>
      withoutArguments('lease', () => lease(key, leaseMs, staleValue, group)),
  })
}

type Taken = { state: 'value'; value: string } | { state: 'lease'; problem?: string | undefined } | { state: 'wait' }

/** What the script replied. @throws RedisStoreError for a reply that it cannot give: the caller must not wait because of it */
function readTaken(reply: unknown): Taken {
  const [state, detail] = Array.isArray(reply) ? reply : []
  if (state === 'value' && typeof detail === 'string') return { state, value: detail }
  if (state === 'lease') return { state, problem: typeof detail === 'string' && detail !== '' ? detail : undefined }
  if (state === 'wait') return { state }
  throw new RedisStoreError('lease', 'unexpected_reply')
}

/** Redis takes whole milliseconds only. Rounded down, because nothing may live longer than it should. */
function wholeMs(ms: number): number {
  return Math.floor(Math.min(ms, Number.MAX_SAFE_INTEGER))
}
