import { setTimeout as sleep } from 'node:timers/promises'
import type { SampleEnvironment, SampleTokens } from '../tokens'

/** A sample worker. It runs until it is told to stop. */
export type Worker = (context: WorkerContext) => Promise<void>

/** What a worker gets. */
export interface WorkerContext {
  readonly tokens: SampleTokens
  readonly environment: SampleEnvironment
  /** Aborts when the process is told to stop. */
  readonly stop: AbortSignal
  /** Prints the result of one round of work. `apiCalls` is the number of API calls that the round made. Default 1. */
  report(text: string, apiCalls?: number): void
}

/** Calls `work` every second until `stop` aborts. A round that fails is reported, and the next one starts as usual. */
export async function everySecond(
  { stop, report }: WorkerContext,
  work: () => Promise<string>,
  apiCalls = 1,
): Promise<void> {
  while (!stop.aborted) {
    try {
      report(await work(), apiCalls)
    } catch (error) {
      if (!stop.aborted) report(`failed: ${error instanceof Error ? error.message : error}`, apiCalls)
    }
    await sleep(1_000, undefined, { signal: stop }).catch(() => {})
  }
}
