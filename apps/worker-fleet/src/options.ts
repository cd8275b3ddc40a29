import { parseArgs } from 'node:util'

const USAGE = `usage: npm run fleet -- [--processes 8] [--seconds 20] [--forever] [--lifetime 5] [--rate 20]
  --processes  how many worker processes
  --seconds    how long to run
  --forever    go on until Ctrl-C
  --lifetime   how long tokens live, seconds
  --rate       how many API calls each process makes, per second`

export interface SampleOptions {
  readonly processes: number
  /** How long to run, milliseconds; undefined: until told to stop. */
  readonly durationMs: number | undefined
  readonly lifetimeSeconds: number
  readonly callsPerSecond: number
}

/** @throws Error with the usage in it when the arguments are off. */
export function sampleOptions(args: readonly string[]): SampleOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        processes: { type: 'string', default: '8' },
        seconds: { type: 'string', default: '20' },
        forever: { type: 'boolean', default: false },
        lifetime: { type: 'string', default: '5' },
        rate: { type: 'string', default: '20' },
      },
    })
    const processes = positive('processes', values.processes)
    if (!Number.isInteger(processes) || processes > 64) throw new Error('--processes must be a whole number up to 64')
    return {
      processes,
      durationMs: values.forever ? undefined : positive('seconds', values.seconds) * 1_000,
      lifetimeSeconds: positive('lifetime', values.lifetime),
      callsPerSecond: positive('rate', values.rate),
    }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0 && Number.isFinite(value))) throw new Error(`--${option} ${text} is no number above 0`)
  return value
}
