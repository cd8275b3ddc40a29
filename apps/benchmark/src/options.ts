import { parseArgs } from 'node:util'
import { BENCHMARK_NAMES, type BenchmarkName } from './benchmark-name'

const USAGE = `usage: pnpm bench [--only NAMES] [--quick] [--json FILE] [--out DIR] [--from FILE]
  --only NAMES  the benchmarks to run, separated by commas: ${BENCHMARK_NAMES.join(', ')}
  --quick       fewer rounds, for a first look
  --json FILE   writes the results to a file
  --out DIR     writes results.json and the plots to a folder, and the tables to the page DIR.md if there is one
  --from FILE   runs nothing: takes the results of an earlier run`

export interface BenchOptions {
  readonly names: readonly BenchmarkName[]
  readonly quick: boolean
  readonly json: string | undefined
  readonly out: string | undefined
  readonly from: string | undefined
}

/** @throws Error whose message has the problem and the usage */
export function benchOptions(args: readonly string[]): BenchOptions {
  try {
    const { values } = parseArgs({
      // pnpm passes on the `--` that separates its options from those of the script.
      args: args.filter((arg) => arg !== '--'),
      options: {
        only: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        out: { type: 'string' },
        from: { type: 'string' },
      },
    })
    const { only, quick, json, out, from } = values
    if (only !== undefined && out !== undefined)
      throw new Error('--out writes a complete page, so it needs all benchmarks: leave out --only, or use --json')
    if (from !== undefined && (only !== undefined || quick))
      throw new Error('--from runs nothing: leave out --only and --quick')
    return { names: benchmarkNames(only), quick, json, out, from }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function benchmarkNames(only: string | undefined): readonly BenchmarkName[] {
  if (only === undefined) return BENCHMARK_NAMES
  const wanted = only.split(',').map((name) => name.trim())
  const unknown = wanted.filter((name) => !(BENCHMARK_NAMES as readonly string[]).includes(name))
  if (unknown.length > 0) {
    const names = unknown.map((name) => `'${name}'`).join(', ')
    throw new Error(`--only: there is no benchmark ${names}. There are: ${BENCHMARK_NAMES.join(', ')}`)
  }
  return BENCHMARK_NAMES.filter((name) => wanted.includes(name))
}
