import { startRedis, type TestRedis } from '@tokenward/local-servers'
import type { BenchmarkName } from './benchmark-name'
import { benchmarks } from './benchmarks'
import { type BenchmarkContext, participants, runBenchmark } from './benchmarks/benchmark'
import { environment, measuredLibrary } from './environment'
import { FLEET_CLIENTS, fleetClientId } from './fleet-client'
import { httpLibraries, libraries } from './libraries'
import type { Library } from './libraries/library'
import type { BenchmarkResult, BenchmarkResults } from './result'
import type { Scale } from './scale'
import type { BenchServer } from './server/bench-server'
import type { Workers } from './worker/workers'

export interface RunOptions {
  readonly names: readonly BenchmarkName[]
  readonly scale: Scale
  readonly workers: Workers
  /** Starts the servers, with these clients. */
  startServer(clientIds: readonly string[]): Promise<BenchServer>
  /** Default: every library. */
  readonly only?: (library: Library) => boolean
  progress(benchmark: BenchmarkName, text: string): void
}

/** Runs benchmarks one after another. */
export async function runBenchmarks(options: RunOptions): Promise<BenchmarkResults> {
  const { names, scale, workers, only = () => true } = options
  const where = environment()
  const measured = { libraries: libraries.filter(only), httpLibraries: httpLibraries.filter(only) }
  const server = await options.startServer(clientIds(measured.httpLibraries))
  let redis: TestRedis | undefined
  const context: Omit<BenchmarkContext, 'progress'> = {
    ...measured,
    scale,
    server,
    workers,
    async redisUrl() {
      redis ??= await startRedis()
      return redis.url
    },
  }
  const results: BenchmarkResult[] = []
  try {
    for (const benchmark of benchmarks.filter(({ name }) => names.includes(name))) {
      const progress = (text: string) => options.progress(benchmark.name, text)
      results.push(await runBenchmark(benchmark, { ...context, progress }))
    }
  } finally {
    await server.close()
    await redis?.stop()
  }
  return {
    schemaVersion: 1,
    date: new Date().toISOString().slice(0, 10),
    scale: scale.name,
    environment: where,
    libraries: measured.httpLibraries.map(measuredLibrary),
    benchmarks: results,
  }
}

/** A client for each library, clients for the rounds of the fleet, and one for the fixed header. */
function clientIds(all: readonly Library[]): string[] {
  const inFleet = participants(all, 'fleet').filter(({ id }) => libraries.some((each) => each.id === id))
  return [
    'fixed-header',
    ...all.map(({ id }) => id),
    ...inFleet.flatMap(({ id }) => Array.from({ length: FLEET_CLIENTS }, (_, number) => fleetClientId(id, number))),
  ]
}
