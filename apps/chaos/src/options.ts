import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import type { DeploymentName } from './deployment'
import { SABOTAGES, type Sabotage } from './sabotage'

const USAGE = `usage: pnpm chaos [options]
  --minutes N    how long to run (default 60). Half of it on a Cluster, half of it on Sentinel
  --on NAME      only on cluster, or only on sentinel
  --processes N  number of worker processes, up to 64 (default 32)
  --lifetime N   lifetime of tokens, in seconds (default 8)
  --timeout N    time limit of a token request, in seconds (default 2)
  --rate N       calls per second of each process, for each of its three tokens (default 1)
  --seed N       repeats the faults of another run (default: drawn)
  --break NAME   breaks something on purpose (${SABOTAGES.join(', ')})`

export interface ProgramOptions {
  readonly durationMs: number
  readonly deployments: readonly DeploymentName[]
  readonly processes: number
  readonly lifetimeMs: number
  readonly timeoutMs: number
  readonly callsPerSecond: number
  readonly seed: number
  readonly sabotage: Sabotage | undefined
}

const DEPLOYMENTS: readonly DeploymentName[] = ['cluster', 'sentinel']

/** @throws Error whose message has the problem and the usage */
export function programOptions(args: readonly string[]): ProgramOptions {
  try {
    const text = { type: 'string' } as const
    const { values } = parseArgs({
      args: [...args],
      options: {
        minutes: text,
        on: text,
        processes: text,
        lifetime: text,
        timeout: text,
        rate: text,
        seed: text,
        break: text,
      },
    })
    const number = (option: 'minutes' | 'processes' | 'lifetime' | 'timeout' | 'rate' | 'seed', otherwise: number) =>
      positive(option, values[option], otherwise)
    const processes = number('processes', 32)
    if (!Number.isInteger(processes) || processes > 64) throw new Error('--processes must be a whole number up to 64')
    const deployments = DEPLOYMENTS.filter((name) => values.on === undefined || values.on === name)
    if (deployments.length === 0) throw new Error(`--on must be ${DEPLOYMENTS.join(' or ')}, not '${values.on}'`)
    const sabotage = SABOTAGES.find((name) => name === values.break)
    if (values.break !== undefined && !sabotage) throw new Error(`--break knows no '${values.break}'`)
    return {
      durationMs: (number('minutes', 60) * 60_000) / deployments.length,
      deployments,
      processes,
      lifetimeMs: number('lifetime', 8) * 1_000,
      timeoutMs: number('timeout', 2) * 1_000,
      callsPerSecond: number('rate', 1),
      seed: number('seed', 1 + randomInt(1_000_000)),
      sabotage,
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
