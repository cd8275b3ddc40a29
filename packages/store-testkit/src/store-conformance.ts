import type { Awaitable, TokenStore } from '@tokenward/core'
import type { Conformance } from './conformance'
import { expiryTests } from './expiry-tests'
import { groupTests } from './group-tests'
import { leaseTests } from './lease-tests'
import { valueTests } from './value-tests'

/** Options of {@link storeConformance}. */
export interface StoreConformanceOptions {
  /** The test function of your runner: `test` of vitest, `node:test` or `bun:test`, or `Deno.test`. */
  test: (name: string, body: () => Promise<void>) => unknown
  /**
   * Makes the store of one test. All tests may share one store, and it may hold other entries: every test uses keys of its own,
   * which are SHA-256 digests in hexadecimal, like those of tokenward.
   */
  createStore: () => Awaitable<TokenStore>
  /** Whether entries expire by themselves. False leaves out the tests of that. Default true. */
  supportsExpiry?: boolean | undefined
  /**
   * Whether the store has `lease`. With false, the store must not have it: so a `lease` that is lost by accident is noticed.
   * Default true.
   */
  supportsLease?: boolean | undefined
  /** Whether the store has `deleteGroup`. The tests check that it has it, or that it does not. Default false. */
  supportsGroups?: boolean | undefined
  /**
   * The shortest time that the store can measure, in milliseconds: 1,000 for a store that counts in seconds. Default 100, at most
   * 20,000.
   */
  shortestTtlMs?: number | undefined
  /** Waits for some milliseconds. Pass your own to advance a clock instead. Default: `setTimeout`. */
  sleep?: ((ms: number) => Promise<void>) | undefined
}

/**
 * Registers the tests that every `TokenStore` has to pass, with your runner's `test`.
 *
 * @throws TypeError when `test` or `createStore` is not a function, or `shortestTtlMs` is out of range
 */
export function storeConformance(options: StoreConformanceOptions): void {
  const { test, createStore, supportsExpiry = true, supportsLease = true } = options
  const { supportsGroups = false, shortestTtlMs = 100 } = options
  const sleep = options.sleep ?? ((ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)))
  for (const [name, value] of Object.entries({ test, createStore })) {
    if (typeof value !== 'function') throw new TypeError(`storeConformance: ${name} must be a function`)
  }
  // Twice this time has to be shorter than a minute.
  if (!(shortestTtlMs > 0 && shortestTtlMs <= 20_000)) {
    throw new TypeError('storeConformance: shortestTtlMs must be more than 0 and at most 20,000')
  }
  const conformance: Conformance = {
    check(name, body) {
      test(name, async () => body(await createStore(), randomKey))
    },
    shortestTtlMs,
    // A store that counts in coarse steps may be late by one of them.
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
