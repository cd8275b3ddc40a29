import { readFile, writeFile } from 'node:fs/promises'
import { type SimulationOptions, simulationOptions } from './options'
import { drawScenario, type Scenario } from './scenario'
import { search, type Totals } from './search'
import { simulate } from './simulation'

const REPORT_EVERY_MS = 5_000

/** Runs one scenario and prints what happened. Returns whether all invariants held. */
async function runOne({ seed, file, log, sabotage }: SimulationOptions): Promise<boolean> {
  const drawn: Scenario = file === undefined ? drawScenario(seed ?? 1) : JSON.parse(await readFile(file, 'utf8'))
  const scenario = sabotage ? { ...drawn, sabotage } : drawn
  if (!log) console.log(JSON.stringify(scenario, null, 2))
  const { violations, ...figures } = await simulate(scenario, log ? console.log : undefined)
  console.log(figures)
  for (const { invariant, at, text } of violations) console.log(`broken at ${at.toFixed(0)} ms: ${invariant}: ${text}`)
  return violations.length === 0
}

async function runMany(options: SimulationOptions): Promise<boolean> {
  const startedAt = performance.now()
  let reportedAt = startedAt
  const describe = (totals: Totals) => {
    const minutes = (performance.now() - startedAt) / 60_000
    const lines = [
      `${minutes.toFixed(1)} minutes, seeds from ${options.first} on: ${totals.runs} runs`,
      `${totals.calls} calls, ${totals.events} events, ${totals.tokenRequests} token requests, ${totals.storeCommands} store commands`,
      `${totals.processYears.toFixed(1)} years of all processes together`,
      `${totals.findings.length} broken invariants`,
      ...totals.findings,
    ]
    return `${lines.join('\n')}\n`
  }
  const report = (totals: Totals) => {
    if (performance.now() < reportedAt + REPORT_EVERY_MS) return
    reportedAt = performance.now()
    if (options.progress === undefined) console.log(describe(totals))
    else void writeFile(options.progress, describe(totals))
  }
  const { seeds: count, ...rest } = options
  const totals = await search({ ...rest, count }, report)
  if (options.progress !== undefined) await writeFile(options.progress, describe(totals))
  console.log(describe(totals))
  return totals.findings.length === 0
}

let options: SimulationOptions | undefined
try {
  options = simulationOptions(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
if (options) {
  const isOne = options.seed !== undefined || options.file !== undefined
  const isWell = await (isOne ? runOne(options) : runMany(options))
  if (!isWell) process.exitCode = 1
}
