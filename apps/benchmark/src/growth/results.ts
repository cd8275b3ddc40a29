import type { Fleet } from './formula'
import type { RedisFigures } from './measured-redis'
import type { StartFigures, SteadyFigures } from './simulated-fleet'

export interface GrowthResults {
  readonly date: string
  readonly node: string
  readonly redis: RedisFigures
  readonly steady: readonly (Fleet & SteadyFigures)[]
  readonly start: readonly (Fleet & StartFigures)[]
}
