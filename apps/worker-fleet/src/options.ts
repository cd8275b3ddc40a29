import { parseArgs } from 'node:util'

const USAGE = `usage: npm run fleet -- [--watch [--port N] [--latency N]] [--processes N] [--seconds N] [--forever] [--lifetime N] [--rate N]
  --watch        shows the fleet live on a local web page, with buttons that break things
  --port N       port of that page (default: any free port)
  --latency N    how late the token endpoint responds, in milliseconds, with --watch (default 700)
  --processes N  number of worker processes, up to 64 (default 8; with --watch 6)
  --seconds N    how long to run (default 20; with --watch until Ctrl-C)
  --forever      runs until Ctrl-C
  --lifetime N   lifetime of tokens, in seconds (default 5; with --watch 20)
  --rate N       API calls per second of each process (default 20; with --watch 5)`

/** A person who watches needs time to read. */
const DEFAULTS = { processes: '8', seconds: '20', lifetime: '5', rate: '20' }
const WATCH_DEFAULTS = { processes: '6', seconds: undefined, lifetime: '20', rate: '5' }

/** Below the second that the token manager lets a call wait whose token an API has rejected. */
const WATCH_LATENCY_MS = 700

export interface SampleOptions {
  /** The port of the live view, 0 for any free port. Undefined: no live view. */
  readonly watchPort: number | undefined
  /** How late the token endpoint responds in the live view, in milliseconds. */
  readonly latencyMs: number
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
        watch: { type: 'boolean', default: false },
        port: { type: 'string' },
        latency: { type: 'string' },
        processes: { type: 'string' },
        seconds: { type: 'string' },
        forever: { type: 'boolean', default: false },
        lifetime: { type: 'string' },
        rate: { type: 'string' },
      },
    })
    const defaults = values.watch ? WATCH_DEFAULTS : DEFAULTS
    const { processes: processesText, seconds, lifetime, rate } = { ...defaults, ...values }
    for (const option of ['port', 'latency'] as const) {
      if (values[option] !== undefined && !values.watch)
        throw new Error(`--${option} is for the live view: add --watch`)
    }
    const processes = positive('processes', processesText)
    if (!Number.isInteger(processes) || processes > 64) throw new Error('--processes must be a whole number up to 64')
    return {
      watchPort: values.watch ? upTo(65_535, 'port', values.port ?? '0') : undefined,
      latencyMs: upTo(60_000, 'latency', values.latency ?? String(WATCH_LATENCY_MS)),
      processes,
      durationMs: values.forever || seconds === undefined ? undefined : positive('seconds', seconds) * 1_000,
      lifetimeSeconds: positive('lifetime', lifetime),
      callsPerSecond: positive('rate', rate),
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

function upTo(most: number, option: string, text: string): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value <= most) return value
  throw new Error(`--${option} must be a whole number from 0 to ${most}, not '${text}'`)
}
