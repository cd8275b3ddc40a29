import { type Clock, systemClock } from '../../clock'
import type { TokenCache } from '../../token-cache'
import type { TokenManagerOptions } from '../../token-manager'
import { FreshTokenCache } from '../cache/fresh-token-cache'
import { KeptCredentialStore } from '../store/kept-credential-store'
import { StoreLookup } from '../store/lookup'
import { ProbeTurns } from '../store/probe-turns'
import { StoreAccess } from '../store/store-access'
import { StoreHealth } from '../store/store-health'
import type { AcquisitionHooks } from '../util/acquisition-hooks'
import type { EventEmitter } from '../util/event-emitter'
import type { SharedTime } from '../util/shared-time'
import { TurnTime } from '../util/turn-time'

export interface CacheContext {
  readonly clock: Clock
  readonly sharedTime: SharedTime
  readonly random: () => number
  readonly events: EventEmitter
  readonly hooks: AcquisitionHooks
  readonly maxEntries: number
  readonly storeTimeoutMs: number
  readonly localLifetimeMs: number
}

/** How long the end of a manager waits for credentials that are not in the store yet, in milliseconds. */
const SETTLES_WITHIN_MS = 10_000

export interface CacheParts {
  readonly cache: TokenCache
  /** Undefined without a store, and with a cache of the user's, which has its own store. */
  readonly storeHealth: StoreHealth | undefined
  readonly kept: KeptCredentialStore
  close(): Promise<void>
}

/** The cache of a manager: the user's own one, or the built-in one with its store. */
export function createCache(
  { cache: given, store, clock: givenClock = systemClock }: TokenManagerOptions,
  { clock, sharedTime, random, events, hooks, maxEntries, storeTimeoutMs, localLifetimeMs }: CacheContext,
): CacheParts {
  const { emit } = events
  const storeHealth = given || !store ? undefined : new StoreHealth(clock, emit)
  const access =
    store &&
    storeHealth &&
    new StoreAccess({ store, clock, sharedTime, timeoutMs: storeTimeoutMs, health: storeHealth })
  const kept = new KeptCredentialStore(clock, random, access)
  const time = new TurnTime(givenClock, clock.monotonic)
  const tokens = access && {
    access,
    lookup: new StoreLookup(access, clock, random, emit),
    probeTurns: new ProbeTurns(access, clock),
  }
  const options = { clock, time, random, events, hooks, maxEntries, localLifetimeMs }
  const cache = given ?? new FreshTokenCache({ ...options, store: tokens })
  return {
    cache,
    storeHealth,
    kept,
    async close() {
      await cache.close()
      await kept.settled(SETTLES_WITHIN_MS)
    },
  }
}
