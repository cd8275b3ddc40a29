import type { Fleet } from './formula'
import { measureRedis } from './measured-redis'
import type { GrowthResults } from './results'
import { simulateStart, simulateSteady } from './simulated-fleet'

/** Processes and keys of the fleets that are simulated. A fleet of 10,000 processes with 100,000 keys each does not fit into memory. */
export const SIZES: readonly (readonly [processes: number, keys: number])[] = [
  [10, 1],
  [100, 1],
  [1_000, 1],
  [10_000, 1],
  [10, 10],
  [100, 10],
  [1_000, 10],
  [10, 100],
  [100, 100],
  [10, 1_000],
]

/** Tokens of ten minutes, so that fewer simulated hours show as much. */
export const fleetOf = (processes: number, keys: number): Fleet => ({
  processes,
  keys,
  lifetimeSeconds: 600,
  localLifetimeSeconds: 60,
})

export async function measureGrowth(sizes: typeof SIZES, progress: (text: string) => void): Promise<GrowthResults> {
  progress('a real Redis')
  const redis = await measureRedis()
  const steady: GrowthResults['steady'][number][] = []
  const start: GrowthResults['start'][number][] = []
  for (const [processes, keys] of sizes) {
    const fleet = fleetOf(processes, keys)
    progress(`${processes} processes, ${keys} keys: daily life`)
    steady.push({ ...fleet, ...(await simulateSteady(fleet)) })
    progress(`${processes} processes, ${keys} keys: the start`)
    start.push({ ...fleet, ...(await simulateStart(fleet)) })
  }
  return { date: new Date().toISOString().slice(0, 10), node: process.versions.node, redis, steady, start }
}
