import { parseArgs } from 'node:util'
import { dpop } from './workers/dpop'
import { httpClient } from './workers/http-client'
import { manual } from './workers/manual'
import { privateKeyJwt } from './workers/private-key-jwt'
import { typedClient } from './workers/typed-client'
import type { Worker } from './workers/worker'
import { workloadIdentity } from './workers/workload-identity'

/** What runs when nothing else is asked for. */
const USUAL = ['manual', 'http', 'typed']

const WORKERS: Readonly<Record<string, Worker>> = {
  manual,
  http: httpClient,
  typed: typedClient,
  'private-key-jwt': privateKeyJwt,
  dpop,
  'workload-identity': workloadIdentity,
}

const USAGE = `usage: npm start -- [--only ${Object.keys(WORKERS).join('|')}]... [--redis] [--forever] [--seconds 20]
  --only     run this worker; may be given more than once (default: ${USUAL.join(', ')})
  --redis    keep the tokens in Redis: the one of REDIS_URL, or one that is started
  --forever  go on until Ctrl-C
  --seconds  how long to run otherwise`

export interface SampleOptions {
  readonly workers: readonly [name: string, worker: Worker][]
  /** Whether tokens are kept in Redis too, and not in this process alone. */
  readonly redis: boolean
  /** How long to run, milliseconds; undefined: until told to stop. */
  readonly durationMs: number | undefined
}

/** @throws Error with the usage in it when the arguments are off. */
export function sampleOptions(args: readonly string[]): SampleOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string', multiple: true, default: USUAL },
        redis: { type: 'boolean', default: false },
        forever: { type: 'boolean', default: false },
        seconds: { type: 'string', default: '20' },
      },
    })
    const seconds = Number(values.seconds)
    if (!(seconds > 0)) throw new Error(`--seconds ${values.seconds} is no number above 0`)
    const workers = values.only.map((name): [string, Worker] => {
      const worker = Object.hasOwn(WORKERS, name) ? WORKERS[name] : undefined
      if (!worker) throw new Error(`there is no worker '${name}'`)
      return [name, worker]
    })
    return { workers, redis: values.redis, durationMs: values.forever ? undefined : seconds * 1_000 }
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`)
  }
}
