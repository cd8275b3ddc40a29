import type { BenchmarkResult, BenchmarkResults, Column, Row } from '../result'
import type { Statistic } from '../statistic'
import { formatGoal, formatValue } from './format'

/** Whether the library of a row is tokenward. */
export function isTokenward({ library }: Row): boolean {
  return library === 'tokenward' || library.startsWith('tokenward (')
}

/** Whether a row is no library, but what the least wrapper of an HTTP client costs. */
export function isOnlyAHeader({ library }: Row): boolean {
  return library.startsWith('only a header (')
}

/** The row of tokenward that a row is compared with: that of the same HTTP client, if there is one. */
function counterpart(row: Row, { rows }: BenchmarkResult, { libraries }: BenchmarkResults): Row | undefined {
  const clientOf = (id: string) => libraries.find((library) => library.id === id)?.httpClient
  const own = rows.filter(isTokenward)
  return own.find(({ library }) => clientOf(library) === clientOf(row.library)) ?? own[0]
}

/**
 * Sentences that say which goals tokenward meets, and which libraries are better at what. Better means that the upper
 * quartile of the other library is below the lower quartile of tokenward.
 */
export function comparison(benchmark: BenchmarkResult, results: BenchmarkResults): string[] {
  const compared = benchmark.columns.filter((column) => column.compared)
  return [
    ...benchmark.columns.flatMap((column) => goalSentence(benchmark, column)),
    ...compared.flatMap((column) => betterSentence(benchmark, column, results)),
  ]
}

function goalSentence({ rows }: BenchmarkResult, column: Column): string[] {
  const { goal, key, title, unit } = column
  if (goal === undefined) return []
  const own = rows.filter(isTokenward).flatMap((row) => measuredOf(row, key))
  const missed = own.filter(({ value }) => value.median > goal)
  const name = `${title} (${formatGoal(column)})`
  if (own.length === 0) return []
  if (missed.length === 0) return [`tokenward meets its goal: ${name}.`]
  const list = missed.map(({ row, value }) => `${row.library} ${formatValue(value.median, unit)}`)
  return [`**tokenward misses its goal**: ${name}. Measured: ${list.join(', ')}.`]
}

function betterSentence(benchmark: BenchmarkResult, { key, title, unit }: Column, results: BenchmarkResults): string[] {
  const better = benchmark.rows
    .filter((row) => !isTokenward(row) && !isOnlyAHeader(row))
    .flatMap((row) => {
      const value = row.values[key]
      const own = counterpart(row, benchmark, results)?.values[key]
      if (!value || !own || value.q3 >= own.q1) return []
      return [`${row.library} (${formatValue(value.median, unit)}, tokenward ${formatValue(own.median, unit)})`]
    })
  return better.length === 0 ? [] : [`**Better than tokenward**, ${title}: ${better.join(', ')}.`]
}

function measuredOf(row: Row, key: string): { row: Row; value: Statistic }[] {
  const value = row.values[key]
  return value ? [{ row, value }] : []
}
