import { type ProgramOptions, programOptions } from './options'
import { type ChaosResult, runChaos } from './run'
import { summary } from './summary'

/** Runs on each kind of Redis in turn. Returns whether all invariants held. */
async function run({ deployments, ...options }: ProgramOptions): Promise<boolean> {
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)
  const print = (line: string) => console.log(`${new Date().toISOString().slice(11, 19)} ${line}`)
  console.log(
    `seed ${options.seed}: --seed ${options.seed} repeats the faults, with the same --processes, --lifetime and --timeout`,
  )
  const results: ChaosResult[] = []
  for (const on of deployments) {
    if (stopping.signal.aborted) break
    results.push(await runChaos({ ...options, on, stopping: stopping.signal, print }))
  }
  for (const result of results) console.log(summary(result))
  const broken = results.flatMap(({ invariants }) => Object.values(invariants.seen)).filter((each) => each.broken > 0)
  console.log(
    broken.length === 0 ? '\nNo invariant was broken.' : `\nBroken invariants: ${broken.length}. Seed ${options.seed}.`,
  )
  return broken.length === 0
}

let options: ProgramOptions | undefined
try {
  options = programOptions(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
if (options) {
  const isWell = await run(options)
  // Faults that Ctrl-C has interrupted may still wait for servers that are gone.
  process.exit(isWell ? 0 : 1)
}
