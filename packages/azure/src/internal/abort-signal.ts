import type { GetTokenOptions } from '@azure/core-auth'

/** The SDK may pass a signal of its own, which only looks like the platform's. */
export function asAbortSignal(given: GetTokenOptions['abortSignal']): AbortSignal | undefined {
  if (given === undefined || given instanceof AbortSignal) return given
  const controller = new AbortController()
  if (given.aborted) controller.abort()
  else given.addEventListener('abort', () => controller.abort())
  return controller.signal
}
