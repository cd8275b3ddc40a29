import { parseArgs } from 'node:util'

const USAGE = `usage: npm run fleet -- [--processes N] [--seconds N] [--forever] [--lifetime N] [--rate N]
  --processes N  number of worker processes, up to 64 (default 8)
  --seconds N    how long to run (default 20)
  --forever      runs until Ctrl-C
  --lifetime N   lifetime of tokens, in seconds (default 5)
  --rate N       API calls per second of each process (default 20)`

export interface SampleOptions {
  readonly processes: number
  /** How long to run, in milliseconds. Undefined: until Ctrl-C. */
  readonly durationMs: number | undefined
  readonly lifetimeSeconds: number
  readonly callsPerSecond: number
}

/** @throws Error whose message has the problem and the usage */
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
  if (!(value > 0 && Number.isFinite(value))) throw new Error(`--${option} must be a number above 0, not '${text}'`)
  return value
}
