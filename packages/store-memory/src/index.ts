import { LRUCache } from 'lru-cache'

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** The most entries it keeps; past that the least recently used one goes. Default 10,000. */
  maxEntries?: number | undefined
  /** The clock that lifetimes are measured with, in milliseconds. Default: a monotonic one (`performance.now`). */
  now?: (() => number) | undefined
}

/** What {@link memoryStore} makes: a `TokenStore` when `Value` is a string. */
export interface MemoryStore<Value = string> {
  /** The value under `key`, unless it has expired. */
  get(key: string): Value | undefined
  /** Keeps `value` for `ttlMs` milliseconds, at most. A time of 0 or less keeps nothing. */
  set(key: string, value: Value, ttlMs: number): void
  /** Forgets `key`. */
  delete(key: string): void
  /** Forgets everything. */
  clear(): void
  /** What it holds and has not expired, the most recently used first. */
  entries(): Iterable<[key: string, value: Value]>
  /** How many entries it holds, expired ones that nobody has asked for since included. */
  readonly size: number
}

/**
 * Keeps values in the memory of this process: bounded, least recently used out first, each with a time to live.
 * It sets no timer, so it keeps no process alive; an expired entry leaves when it is asked for or pushed out.
 *
 * @throws TypeError when `maxEntries` is no whole number of at least 1.
 */
export function memoryStore<Value extends {} = string>(options: MemoryStoreOptions = {}): MemoryStore<Value> {
  const { maxEntries = 10_000, now = () => performance.now() } = options
  if (!Number.isSafeInteger(maxEntries) || maxEntries < 1) {
    throw new TypeError(`memoryStore: maxEntries must be a whole number of at least 1, not ${String(maxEntries)}`)
  }
  const entries = new LRUCache<string, Value>({
    max: maxEntries,
    // lru-cache would otherwise remember the time of the last look for a millisecond, with a timer.
    ttlResolution: 0,
    // One millisecond on, because it takes a start at 0 (an injected clock's first moment) for "no limit" too.
    perf: { now: () => now() + 1 },
  })
  return Object.freeze({
    get: (key: string) => entries.get(key),
    set(key: string, value: Value, ttlMs: number) {
      // lru-cache takes a time to live of 0 for "no limit".
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
