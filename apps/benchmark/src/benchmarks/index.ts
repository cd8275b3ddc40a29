import type { Benchmark } from './benchmark'
import { cached } from './cached'
import { cold } from './cold'
import { dpop } from './dpop'
import { expiry } from './expiry'
import { faults } from './faults'
import { fleet } from './fleet'
import { http } from './http'
import { memory } from './memory'
import { rejecting } from './rejecting'
import { revoked } from './revoked'

/** Every benchmark, in the order in which they run. */
export const benchmarks: readonly Benchmark[] = [
  cached,
  http,
  cold,
  expiry,
  revoked,
  rejecting,
  faults,
  fleet,
  dpop,
  memory,
]
