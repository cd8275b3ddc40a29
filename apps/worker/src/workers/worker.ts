import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenManager, TokenStore } from '@tokenward/core'
import type { SampleEnvironment, SampleTokens } from '../tokens'

/** A sample worker: runs until it is told to stop. */
export type Worker = (context: WorkerContext) => Promise<void>

export interface WorkerContext {
  readonly environment: SampleEnvironment
  readonly tokens: SampleTokens
  /** Where a worker's own token manager keeps its tokens too; undefined: in this process alone. */
  readonly store: TokenStore | undefined
  /** Aborts when the process is asked to stop. */
  readonly stop: AbortSignal
  /** Lets the sample tell what a worker's own token manager does. */
  watch<Name extends string>(tokens: TokenManager<Name>): TokenManager<Name>
  /** Says what came of one round of work, and how many API calls it made. Default 1. */
  report(text: string, apiCalls?: number): void
}

/** Calls `work` every second until `stop` aborts; what one round comes to does not end the next. */
export async function everySecond(
  { stop, report }: WorkerContext,
  work: () => Promise<string>,
  apiCalls = 1,
): Promise<void> {
  while (!stop.aborted) {
    try {
      report(await work(), apiCalls)
    } catch (error) {
      if (!stop.aborted) report(`failed: ${error instanceof Error ? error.message : error}`)
    }
    await sleep(1_000, undefined, { signal: stop }).catch(() => {})
  }
}
