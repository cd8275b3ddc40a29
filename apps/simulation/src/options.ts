import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { SABOTAGES, type Sabotage } from './sabotage'

const USAGE = `usage: pnpm simulate [options]
  --minutes N      how long to search (default 1)
  --seeds N        how many seeds to run at most (default: as many as the time allows)
  --first N        the first seed (default: by the time of day)
  --workers N      number of operating system processes (default 1)
  --seed N         runs this seed only, and prints what happened
  --file F         runs the scenario in this file only
  --log            with --seed or --file: prints every event
  --break NAME     with --seed or --file: breaks something on purpose (${SABOTAGES.join(', ')})
  --folder F       where scenarios that break an invariant are written (default: in the folder for temporary files)
  --progress F     a file that gets the figures every few seconds`

export interface SimulationOptions {
  readonly minutes: number
  readonly seeds: number
  readonly first: number
  readonly workers: number
  readonly seed: number | undefined
  readonly file: string | undefined
  readonly log: boolean
  readonly sabotage: Sabotage | undefined
  readonly folder: string
  readonly progress: string | undefined
}

/** @throws Error whose message has the problem and the usage */
export function simulationOptions(args: readonly string[]): SimulationOptions {
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: text,
        seeds: text,
        first: text,
        workers: text,
        seed: text,
        file: text,
        log: { type: 'boolean', default: false },
        break: text,
        folder: text,
        progress: text,
      },
    })
    const sabotage = SABOTAGES.find((name) => name === values.break)
    if (values.break !== undefined && !sabotage) throw new Error(`--break knows no '${values.break}'`)
    const number = (option: 'minutes' | 'seeds' | 'first' | 'workers' | 'seed', otherwise: number) =>
      positive(option, values[option], otherwise)
    return {
      minutes: number('minutes', 1),
      seeds: number('seeds', Number.MAX_SAFE_INTEGER),
      first: number('first', 1 + (Math.floor(Date.now() / 1_000) % 1_000_000_000)),
      workers: number('workers', 1),
      seed: values.seed === undefined ? undefined : number('seed', 1),
      file: values.file,
      log: values.log,
      sabotage,
      folder: values.folder ?? join(tmpdir(), 'tokenward-simulation'),
      progress: values.progress,
    }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function positive(option: string, text: string | undefined, otherwise: number): number {
  const value = text === undefined ? otherwise : Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new Error(`--${option} must be a number above 0, not '${text}'`)
  return value
}
