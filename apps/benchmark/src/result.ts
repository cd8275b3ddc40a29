import type { BenchmarkName } from './benchmark-name'
import type { Statistic } from './statistic'

/** The result of a run: what `--json` writes. README.md describes it. */
export interface BenchmarkResults {
  /** Grows when a change breaks readers of the file. */
  readonly schemaVersion: 1
  readonly date: string
  /** `full`, `quick`, or `tiny` for tests. Only a full run is worth publishing. */
  readonly scale: string
  readonly environment: Environment
  readonly libraries: readonly MeasuredLibrary[]
  readonly benchmarks: readonly BenchmarkResult[]
}

export interface Environment {
  readonly node: string
  readonly platform: string
  readonly arch: string
  readonly cpu: string
  readonly cpus: number
  /** How many processes wanted to run in the minute before. Above 0.5, other load may have changed the figures. */
  readonly loadAverage: number
}

export interface MeasuredLibrary {
  readonly id: string
  readonly packageName?: string
  readonly version?: string
  readonly httpClient: string
  readonly use: string
}

/** The table of one benchmark. */
export interface BenchmarkResult {
  readonly name: BenchmarkName
  readonly title: string
  /** What was done, in a few sentences. */
  readonly method: string
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
  readonly seconds: number
}

/** What the values of a column mean. Less is always better. */
export interface Column {
  readonly key: string
  readonly title: string
  readonly unit: Unit
  /** What tokenward is meant to reach, at most. */
  readonly goal?: number
  /** Whether the libraries are compared by this column. */
  readonly compared: boolean
}

export type Unit = 'ratio' | 'ns' | 'us' | 'ms' | 'count' | 'perSecond' | 'bytes'

export interface Row {
  /** The id of the library. */
  readonly library: string
  /** What distinguishes rows of the same library. */
  readonly variant?: string
  /** By the key of the column. A column without a value was not measured for this row. */
  readonly values: Readonly<Record<string, Statistic>>
  /** Why there are no values. */
  readonly cannot?: string
}
