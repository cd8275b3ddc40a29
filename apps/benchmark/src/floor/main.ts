// Compares what a token costs in a request with what the least wrappers of the same HTTP client cost. Prints a Markdown table.

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { tokenwardLibraries } from '../libraries/tokenward'
import { statistic } from '../statistic'
import type { WrapperCost, WrapperName } from './measure-wrapper'

/** V8 does not compile the same code in the same way in each process: that alone changes a ratio by up to 0.02. */
const PROCESSES = 3

/** In a process of its own: an HTTP client that has worked for several wrappers is slower for each of them. */
async function costOf(httpClient: string, wrapper: WrapperName): Promise<WrapperCost> {
  const path = fileURLToPath(new URL('./floor-process.js', import.meta.url))
  const child = fork(path, [httpClient, wrapper], { execArgv: ['--expose-gc'] })
  let cost: WrapperCost | undefined
  child.on('message', (message: WrapperCost) => {
    cost = message
  })
  const [code] = await once(child, 'exit')
  if (cost === undefined) throw new Error(`the process that measures ${httpClient} (${wrapper}) has ended with ${code}`)
  return cost
}

async function costsOf(httpClient: string, wrapper: WrapperName): Promise<readonly WrapperCost[]> {
  const costs: WrapperCost[] = []
  while (costs.length < PROCESSES) costs.push(await costOf(httpClient, wrapper))
  return costs
}

/** The median of its processes. */
function ratio(costs: readonly WrapperCost[]): number {
  return statistic(costs.map(({ wrapped, fixed }) => wrapped / fixed)).median
}

console.log(
  '| HTTP client | a fixed header | only a header ÷ fixed | safe ÷ fixed | tokenward ÷ fixed | tokenward ÷ safe |',
)
console.log('| --- | --- | --- | --- | --- | --- |')
for (const { httpClient } of tokenwardLibraries) {
  const least = await costsOf(httpClient, 'only a header')
  const safe = await costsOf(httpClient, 'safe')
  const own = await costsOf(httpClient, 'tokenward')
  const fixed = statistic([...least, ...safe, ...own].map((cost) => cost.fixed)).median
  const ratios = [ratio(least), ratio(safe), ratio(own), ratio(own) / ratio(safe)].map((each) => each.toFixed(2))
  console.log(`| ${httpClient} | ${fixed.toFixed(0)} µs | ${ratios.join(' | ')} |`)
}
