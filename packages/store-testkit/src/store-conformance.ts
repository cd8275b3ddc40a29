import type { Awaitable, TokenStore } from '@tokenward/core'
import { expiryTests } from './expiry-tests'
import { groupTests } from './group-tests'
import { leaseTests } from './lease-tests'
import { valueTests } from './value-tests'

/** What {@link storeConformance} runs with. */
export interface StoreConformanceOptions {
  /** The test function of the runner: `test` of vitest, of `node:test`, of `bun:test`, or `Deno.test`. */
  test: (name: string, body: () => Promise<void>) => unknown
  /**
   * Makes the store of one test. It may be shared by all tests, or hold other entries: every test has keys of its own,
   * which are SHA-256 digests in hexadecimal, as tokenward's are.
   */
  createStore: () => Awaitable<TokenStore>
  /** Whether entries leave by themselves when their time is over. False leaves those tests out. Default true. */
  supportsExpiry?: boolean | undefined
  /**
   * Whether the store has `lease`. False leaves those tests out and holds the store to having none; said outright,
   * so that a lease that gets lost does not go unnoticed. Default true.
   */
  supportsLease?: boolean | undefined
  /** Whether the store has `deleteGroup`; it is held to what is said here. Default false. */
  supportsGroups?: boolean | undefined
  /** The shortest time that the store can measure, milliseconds: 1,000 where it counts in seconds. Default 100, at most 20,000. */
  shortestTtlMs?: number | undefined
  /** Waits, milliseconds: to advance a clock of the test's own instead. Default: `setTimeout`. */
  sleep?: ((ms: number) => Promise<void>) | undefined
}

/** What every group of tests is given. */
export interface Conformance {
  /** Registers a test, which gets a store and a function that makes keys. */
  readonly check: (name: string, body: (store: TokenStore, newKey: () => string) => Promise<void>) => void
  readonly shortestTtlMs: number
  /** Waits until what was kept for `shortestTtlMs` must be gone. */
  readonly outlast: () => Promise<void>
}

/** Long enough to stay for a whole test, milliseconds. */
export const MINUTE = 60_000

/**
 * Registers the tests that every `TokenStore` has to pass, with the runner's own `test`.
 *
 * @throws TypeError when `test` or `createStore` is no function, or `shortestTtlMs` is out of its range.
 */
export function storeConformance(options: StoreConformanceOptions): void {
  const { test, createStore, supportsExpiry = true, supportsLease = true } = options
  const { supportsGroups = false, shortestTtlMs = 100 } = options
  const sleep = options.sleep ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)))
  for (const [name, value] of Object.entries({ test, createStore })) {
    if (typeof value !== 'function') throw new TypeError(`storeConformance: ${name} must be a function`)
  }
  // Twice that long must not outlast a minute.
  if (!(shortestTtlMs > 0 && shortestTtlMs <= 20_000)) {
    throw new TypeError('storeConformance: shortestTtlMs must be more than 0 and at most 20,000')
  }
  const conformance: Conformance = {
    check(name, body) {
      test(name, async () => body(await createStore(), randomKey))
    },
    shortestTtlMs,
    // A store that counts in coarse steps may be up to one of them late.
    outlast: () => sleep(shortestTtlMs * 2 + 20),
  }
  valueTests(conformance)
  if (supportsExpiry) expiryTests(conformance)
  leaseTests(conformance, supportsLease, supportsExpiry)
  groupTests(conformance, supportsGroups)
}

function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
