// Compares what a token costs in a request with what the least wrappers of the same HTTP client cost. Prints a Markdown table.

import type { Library } from '../libraries/library'
import { onlyAHeaderLibraries } from '../libraries/only-a-header'
import { safeLibraries } from '../libraries/safe-wrappers'
import { tokenwardLibraries } from '../libraries/tokenward'
import { startForkedBenchServer } from '../server/forked-bench-server'
import { statistic } from '../statistic'
import { forkedWorkers } from '../worker/forked-workers'

/** V8 does not compile the same code in the same way in each process: that alone changes a ratio by up to 0.02. */
const PROCESSES = 3
const BLOCKS = 120
const REQUESTS_PER_BLOCK = 200
/** Not measured: the code is not yet compiled in its final form. */
const WARM_UP = 20_000
const CONCURRENCY = 50

/** The CPU of a request, in microseconds. */
interface Cost {
  readonly fixed: number
  readonly wrapped: number
}

const measured = [onlyAHeaderLibraries, safeLibraries, tokenwardLibraries]
const server = await startForkedBenchServer([...measured.flat().map(({ id }) => id), 'fixed-header'])

/** In a process of its own: an HTTP client that has worked for several wrappers is slower for each of them. */
async function costOf(library: Library): Promise<Cost> {
  const { issuer, lightURL: baseURL } = server.address
  const options = { ...server.credentials(library.id), issuer, baseURL }
  const worker = await forkedWorkers.start({ session: 'http', library: library.id, options })
  await worker.step({ requests: WARM_UP, concurrency: CONCURRENCY, round: 0 })
  const fixed: number[] = []
  const wrapped: number[] = []
  for (let round = 0; round < BLOCKS; round++) {
    const cost = await worker.step({ requests: REQUESTS_PER_BLOCK, concurrency: CONCURRENCY, round })
    fixed.push((cost.plainCpuNs ?? 0) / 1_000)
    wrapped.push((cost.cpuNs ?? 0) / 1_000)
  }
  await worker.stop()
  return { fixed: lowestTenth(fixed), wrapped: lowestTenth(wrapped) }
}

/** Other load makes some blocks slower and none faster. */
function lowestTenth(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 10)] ?? 0
}

async function costsOf(libraries: readonly Library[], httpClient: string): Promise<readonly Cost[]> {
  const library = libraries.find((each) => each.httpClient === httpClient)
  if (!library) throw new Error(`nothing is measured for ${httpClient}`)
  const costs: Cost[] = []
  while (costs.length < PROCESSES) costs.push(await costOf(library))
  return costs
}

/** The median of its processes. */
function ratio(costs: readonly Cost[]): number {
  return statistic(costs.map(({ wrapped, fixed }) => wrapped / fixed)).median
}

console.log(
  '| HTTP client | a fixed header | only a header ÷ fixed | safe ÷ fixed | tokenward ÷ fixed | tokenward ÷ safe |',
)
console.log('| --- | --- | --- | --- | --- | --- |')
for (const { httpClient } of tokenwardLibraries) {
  const least = await costsOf(onlyAHeaderLibraries, httpClient)
  const safe = await costsOf(safeLibraries, httpClient)
  const own = await costsOf(tokenwardLibraries, httpClient)
  const fixed = statistic([...least, ...safe, ...own].map((cost) => cost.fixed)).median
  const ratios = [ratio(least), ratio(safe), ratio(own), ratio(own) / ratio(safe)].map((each) => each.toFixed(2))
  console.log(`| ${httpClient} | ${fixed.toFixed(0)} µs | ${ratios.join(' | ')} |`)
}
await server.close()
