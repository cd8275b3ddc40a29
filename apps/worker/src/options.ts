import { parseArgs } from 'node:util'
import { dpop } from './workers/dpop'
import { httpClient } from './workers/http-client'
import { manual } from './workers/manual'
import { privateKeyJwt } from './workers/private-key-jwt'
import { typedClient } from './workers/typed-client'
import type { Worker } from './workers/worker'
import { workloadIdentity } from './workers/workload-identity'

/** The workers that run without `--only`. */
const DEFAULT_WORKERS = ['manual', 'http', 'typed']

const WORKERS: Readonly<Record<string, Worker>> = {
  manual,
  http: httpClient,
  typed: typedClient,
  'private-key-jwt': privateKeyJwt,
  dpop,
  'workload-identity': workloadIdentity,
}

const USAGE = `usage: npm start -- [--only NAME]... [--redis] [--otel] [--port N] [--seconds N] [--forever]
       npm start -- --watch, which shows another sample, the fleet, live on a web page
  --only NAME  runs this worker: ${Object.keys(WORKERS).join(', ')}.
               Can be repeated (default: ${DEFAULT_WORKERS.join(', ')})
  --redis      keeps the tokens in Redis too: in the one at REDIS_URL, or in one that the sample starts
  --otel       serves metrics for Prometheus, and the readiness, on 127.0.0.1
  --port N     the port for --otel (default 9464; 0: any free port)
  --seconds N  how long to run (default 20)
  --forever    runs until Ctrl-C`

export interface SampleOptions {
  readonly workers: readonly [name: string, worker: Worker][]
  /** Whether to keep tokens in Redis too. */
  readonly redis: boolean
  /** The port on which metrics and readiness are served. Undefined: they are not. */
  readonly operationsPort: number | undefined
  /** How long to run, in milliseconds. Undefined: until Ctrl-C. */
  readonly durationMs: number | undefined
}

/** @throws Error whose message has the problem and the usage */
export function sampleOptions(args: readonly string[]): SampleOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true, default: DEFAULT_WORKERS },
        redis: { type: 'boolean', default: false },
        otel: { type: 'boolean', default: false },
        port: { type: 'string', default: '9464' },
        forever: { type: 'boolean', default: false },
        seconds: { type: 'string', default: '20' },
      },
    })
    const seconds = Number(values.seconds)
    if (!(seconds > 0)) throw new Error(`--seconds must be a number above 0, not '${values.seconds}'`)
    const port = Number(values.port)
    if (!(Number.isInteger(port) && port >= 0 && port <= 65_535)) {
      throw new Error(`--port must be a whole number up to 65535, not '${values.port}'`)
    }
    const workers = values.only.map((name): [string, Worker] => {
      const worker = Object.hasOwn(WORKERS, name) ? WORKERS[name] : undefined
      if (!worker) throw new Error(`there is no worker '${name}'`)
      return [name, worker]
    })
    return {
      workers,
      redis: values.redis,
      operationsPort: values.otel ? port : undefined,
      durationMs: values.forever ? undefined : seconds * 1_000,
    }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}
