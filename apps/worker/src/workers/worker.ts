import { setTimeout as sleep } from 'node:timers/promises'

/** A sample worker: runs until it is told to stop. */
export type Worker = (context: WorkerContext) => Promise<void>

export interface WorkerContext {
  readonly environment: import('../tokens').SampleEnvironment
  readonly tokens: import('../tokens').SampleTokens
  /** Aborts when the process is asked to stop. */
  readonly stop: AbortSignal
  /** Says what came of one round of work. */
  report(text: string): void
}

/** Calls `work` every second until `stop` aborts; what one round comes to does not end the next. */
export async function everySecond({ stop, report }: WorkerContext, work: () => Promise<string>): Promise<void> {
  while (!stop.aborted) {
    try {
      report(await work())
    } catch (error) {
      if (!stop.aborted) report(`failed: ${error instanceof Error ? error.message : error}`)
    }
    await sleep(1_000, undefined, { signal: stop }).catch(() => {})
  }
}
