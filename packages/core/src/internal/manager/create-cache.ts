import { type Clock, systemClock } from '../../clock'
import type { TokenCache } from '../../token-cache'
import type { TokenManagerOptions } from '../../token-manager'
import { FreshTokenCache } from '../cache/fresh-token-cache'
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

/** The cache of a manager, and the health of its store: the user's own cache, which has its own store, or the built-in one. */
export function createCache(
  { cache, store, clock: given = systemClock }: TokenManagerOptions,
  { clock, sharedTime, random, events, hooks, maxEntries, storeTimeoutMs, localLifetimeMs }: CacheContext,
): { cache: TokenCache; storeHealth: StoreHealth | undefined } {
  if (cache) return { cache, storeHealth: undefined }
  const { emit } = events
  const time = new TurnTime(given, clock.monotonic)
  const options = { clock, time, random, events, hooks, maxEntries, localLifetimeMs }
  if (!store) return { cache: new FreshTokenCache({ ...options, store: undefined }), storeHealth: undefined }
  const storeHealth = new StoreHealth(clock, emit)
  const access = new StoreAccess({ store, clock, sharedTime, timeoutMs: storeTimeoutMs, health: storeHealth })
  const lookup = new StoreLookup(access, clock, random, emit)
  const probeTurns = new ProbeTurns(access, clock)
  return { cache: new FreshTokenCache({ ...options, store: { access, lookup, probeTurns } }), storeHealth }
}
