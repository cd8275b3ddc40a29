import type { BenchmarkResult, BenchmarkResults, Row } from '../result'
import { comparison, isOnlyAHeader, isTokenward } from './comparison'
import { formatGoal, formatStatistic } from './format'

/** The generated parts of the page, by name: a table for each benchmark, the environment, and the libraries. */
export function pageSections(results: BenchmarkResults): ReadonlyMap<string, string> {
  return new Map([
    ['environment', environmentText(results)],
    ...results.benchmarks.map((benchmark): [string, string] => [benchmark.name, benchmarkText(benchmark, results)]),
    ['libraries', librariesTable(results)],
  ])
}

/** All results as Markdown. */
export function resultsText(results: BenchmarkResults): string {
  return [...pageSections(results).values()].join('\n\n')
}

function environmentText({ environment, date, scale, benchmarks }: BenchmarkResults): string {
  const { node, platform, arch, cpu, cpus, loadAverage } = environment
  const minutes = benchmarks.reduce((sum, { seconds }) => sum + seconds, 0) / 60
  return `Measured on ${date} with Node ${node} on ${platform} ${arch}, ${cpus} × ${cpu}, in ${minutes.toFixed(1)} minutes (${scale} run). Load average before the run: ${loadAverage}.`
}

function librariesTable({ libraries }: BenchmarkResults): string {
  const rows = libraries.map(({ id, packageName = '', version = '', httpClient, use }) => {
    const isOurs = packageName.startsWith('@tokenward/')
    return [id, isOurs ? 'this repository' : version, httpClient, use]
  })
  return table(['library', 'version', 'sends requests with', 'how it is used'], rows)
}

function benchmarkText(benchmark: BenchmarkResult, results: BenchmarkResults): string {
  const { title, method } = benchmark
  const sentences = comparison(benchmark, results).map((sentence) => `- ${sentence}`)
  const parts = [`### ${title}`, method, benchmarkTable(benchmark), sentences.join('\n')]
  return parts.filter((part) => part !== '').join('\n\n')
}

function benchmarkTable(benchmark: BenchmarkResult): string {
  const { columns, rows } = benchmark
  const titles = columns.map((column) => {
    const goal = formatGoal(column)
    return goal === '' ? column.title : `${column.title} (${goal})`
  })
  const best = new Map(columns.filter(({ compared }) => compared).map(({ key }) => [key, lowestMedian(rows, key)]))
  const cells = sorted(benchmark).map((row) => {
    const name = row.variant === undefined ? row.library : `${row.library}, ${row.variant}`
    if (row.cannot !== undefined) return [name, `cannot: ${row.cannot}`, ...columns.slice(1).map(() => '')]
    return [
      name,
      ...columns.map(({ key, unit }) => {
        const value = row.values[key]
        if (!value) return ''
        const text = formatStatistic(value, unit)
        return value.median === best.get(key) && !isOnlyAHeader(row) ? `**${text}**` : text
      }),
    ]
  })
  return table(['library', ...titles], cells)
}

function lowestMedian(rows: readonly Row[], key: string): number {
  const libraries = rows.filter((row) => !isOnlyAHeader(row))
  return Math.min(...libraries.flatMap(({ values }) => values[key]?.median ?? []))
}

/** tokenward first, then the others by the first column, and those that cannot take part last. */
function sorted({ rows, columns }: BenchmarkResult): readonly Row[] {
  const [first] = columns
  const rank = (row: Row) => {
    if (isTokenward(row)) return Number.NEGATIVE_INFINITY
    return row.values[first?.key ?? '']?.median ?? Number.MAX_VALUE
  }
  const compare = (a: Row, b: Row) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0)
  return [...rows].sort(compare)
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n')
}
