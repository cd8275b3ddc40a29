import { setImmediate } from 'node:timers/promises'

/** What calls cost, for each call. */
export interface Cost {
  readonly ns: number
  /** The CPU time of this process, garbage collection and all threads included. */
  readonly cpuNs: number
}

/** Frees what earlier work has left behind, which is not part of what is measured next. */
export async function settle(): Promise<void> {
  globalThis.gc?.()
  await setImmediate()
}

/**
 * Frees what is short-lived of earlier work. Otherwise one of two kinds of work pays for the garbage of both, and which one depends
 * on how much garbage each round makes. Not all garbage: V8 sweeps the heap after that, and throws away compiled code, both of which
 * the next work would pay for.
 */
async function collectYoung(): Promise<void> {
  globalThis.gc?.({ type: 'minor' })
  await setImmediate()
}

/**
 * Runs `run` and measures time and CPU.
 *
 * @param calls the number of calls that `run` makes
 */
export async function measure(calls: number, run: () => Promise<unknown>): Promise<Cost> {
  const cpuBefore = process.cpuUsage()
  const startedAt = process.hrtime.bigint()
  await run()
  const ns = Number(process.hrtime.bigint() - startedAt)
  const { user, system } = process.cpuUsage(cpuBefore)
  return { ns: ns / calls, cpuNs: ((user + system) * 1_000) / calls }
}

/** How many calls take about `ms` milliseconds, found by a tenth of them. */
export async function callsIn(ms: number, run: (calls: number) => Promise<unknown>): Promise<number> {
  for (let calls = 10; ; calls *= 2) {
    const startedAt = performance.now()
    await run(calls)
    const tookMs = performance.now() - startedAt
    if (tookMs >= ms / 10) return Math.max(1, Math.round((calls * ms) / tookMs))
  }
}

/**
 * Measures two kinds of work in `blocks` blocks each, which take turns: A B, B A, A B, … So what changes slowly, such as other
 * load on the machine, affects both. Returns the mean of the blocks of each kind.
 */
export async function measurePair(
  round: number,
  blocks: number,
  first: () => Promise<Cost>,
  second: () => Promise<Cost>,
): Promise<[first: Cost, second: Cost]> {
  const firsts: Cost[] = []
  const seconds: Cost[] = []
  const run = async (work: () => Promise<Cost>) => {
    await collectYoung()
    return work()
  }
  for (let block = 0; block < blocks; block++) {
    const isFirstFirst = (round + block) % 2 === 0
    if (isFirstFirst) firsts.push(await run(first))
    seconds.push(await run(second))
    if (!isFirstFirst) firsts.push(await run(first))
  }
  return [mean(firsts), mean(seconds)]
}

function mean(costs: readonly Cost[]): Cost {
  const of = (value: (cost: Cost) => number) => costs.reduce((sum, cost) => sum + value(cost), 0) / costs.length
  return { ns: of(({ ns }) => ns), cpuNs: of(({ cpuNs }) => cpuNs) }
}

/** Makes `calls` calls, `concurrency` of them at a time. */
export async function callConcurrently(
  call: () => Promise<unknown>,
  calls: number,
  concurrency: number,
): Promise<void> {
  let left = calls
  const caller = async () => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
}
