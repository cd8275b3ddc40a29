import { LRUCache } from 'lru-cache'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** The maximum number of entries. Beyond it, the least recently used entry is removed. Default 10,000. */
  maxEntries?: number | undefined
  /** The time, in milliseconds, by any clock. Default: a monotonic clock (`performance.now`). */
  now?: (() => number) | undefined
}

/** The store that {@link memoryStore} creates. It is a `TokenStore` when `Value` is `string`. */
export interface MemoryStore<Value = string> {
  /** The value under `key`; undefined when there is none or it has expired. */
  get(key: string): Value | undefined
  /** Keeps `value` for `ttlMs` milliseconds at most. With 0 or less, nothing is kept. */
  set(key: string, value: Value, ttlMs: number): void
  /** Deletes the value under `key`. */
  delete(key: string): void
  /** Deletes all values. */
  clear(): void
  /** All entries that have not expired, the most recently used first. */
  entries(): Iterable<[key: string, value: Value]>
  /** The number of entries, including expired entries that have not been removed yet. */
  readonly size: number
}

/**
 * Keeps values in the memory of this process, each with a time to live. The number of entries is limited. The store sets no timer,
 * so it does not keep the process alive. An expired entry is removed when its key is read, or when the store is full.
 *
 * @example
 * const store = memoryStore({ maxEntries: 1_000 })
 *
 * @throws TypeError when `maxEntries` is not a whole number of at least 1
 */
export function memoryStore<Value extends {} = string>(options: MemoryStoreOptions = {}): MemoryStore<Value> {
  const { maxEntries = 10_000, now = () => performance.now() } = options
  if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
    throw new TypeError(`memoryStore: maxEntries must be a whole number of at least 1, not ${String(maxEntries)}`)
  }
  const entries = new LRUCache<string, Value>({
    max: maxEntries,
    // Otherwise lru-cache caches the current time for a millisecond, with a timer.
    ttlResolution: 0,
    // Plus one, because lru-cache reads a start at 0 (the first moment of a fake clock) as "no limit".
    perf: { now: () => now() + 1 },
  })
  return Object.freeze({
    get: (key: string) => entries.get(key),
    set(key: string, value: Value, ttlMs: number) {
      // lru-cache reads a time to live of 0 as "no limit".
      if (ttlMs > 0) entries.set(key, value, { ttl: ttlMs })
      else entries.delete(key)
    },
    delete(key: string) {
      entries.delete(key)
    },
    clear: () => entries.clear(),
    entries: () => entries.entries() as Iterable<[string, Value]>,
    get size() {
      return entries.size
    },
  })
}
