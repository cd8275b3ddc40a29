import type { BenchmarkName } from '../benchmark-name'
import type { Library } from '../libraries/library'
import type { BenchmarkResult, Column, Row } from '../result'
import type { Scale } from '../scale'
import type { BenchServer } from '../server/bench-server'
import type { SessionName } from '../worker/sessions'
import type { Worker, Workers } from '../worker/workers'

/** What a benchmark runs with. */
export interface BenchmarkContext {
  readonly scale: Scale
  readonly server: BenchServer
  readonly workers: Workers
  /** The libraries to measure. */
  readonly libraries: readonly Library[]
  /** tokenward with each of its adapters, and the other libraries. */
  readonly httpLibraries: readonly Library[]
  /** Starts a Redis, or returns the one that runs already. */
  redisUrl(): Promise<string>
  /** Shows what is measured now. */
  progress(text: string): void
}

/** Measures one thing of every library. */
export interface Benchmark {
  readonly name: BenchmarkName
  readonly title: string
  /** What is done, in a few sentences. */
  method(scale: Scale): string
  columns(scale: Scale): readonly Column[]
  run(context: BenchmarkContext): Promise<readonly Row[]>
}

/** Runs a benchmark. The rows of the libraries that cannot take part come last. */
export async function runBenchmark(benchmark: Benchmark, context: BenchmarkContext): Promise<BenchmarkResult> {
  const { name, title } = benchmark
  const startedAt = performance.now()
  await context.server.reset()
  const measured = await benchmark.run(context)
  await context.server.reset()
  const cannot: Row[] = context.libraries.flatMap((library) => {
    const reason = library.cannot?.[name]
    return reason === undefined ? [] : [{ library: library.id, values: {}, cannot: reason }]
  })
  return {
    name,
    title,
    method: benchmark.method(context.scale),
    columns: benchmark.columns(context.scale),
    rows: [...measured, ...cannot],
    seconds: Math.round((performance.now() - startedAt) / 1_000),
  }
}

/** The libraries that can take part in a benchmark. */
export function participants(libraries: readonly Library[], name: BenchmarkName): readonly Library[] {
  return libraries.filter(({ cannot }) => cannot?.[name] === undefined)
}

/** A library that is measured, and the worker that does it. */
export interface Participant {
  readonly library: Library
  readonly worker: Worker
}

/** Starts one worker for each library, runs `run`, and stops the workers. */
export async function withWorkers<T>(
  { server, workers }: BenchmarkContext,
  session: SessionName,
  libraries: readonly Library[],
  api: 'catalog' | 'light',
  run: (participants: readonly Participant[]) => Promise<T>,
): Promise<T> {
  const { issuer, catalogURL, lightURL } = server.address
  const baseURL = api === 'catalog' ? catalogURL : lightURL
  const started: Participant[] = []
  try {
    // One after another: workers that start at the same time would wait for each other on a small machine.
    for (const library of libraries) {
      const options = { ...server.credentials(library.id), issuer, baseURL }
      started.push({ library, worker: await workers.start({ session, library: library.id, options }) })
    }
    return await run(started)
  } finally {
    await Promise.all(started.map(({ worker }) => worker.stop()))
  }
}
