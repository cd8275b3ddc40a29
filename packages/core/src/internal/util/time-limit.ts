import type { Clock } from '../../clock'

/** Resolves after `delayMs`. Rejects with the signal's reason when it aborts before. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const onAbort = () => {
      cancel()
      reject(signal.reason)
    }
    const cancel = clock.setTimeout(() => {
      signal.removeEventListener('abort', onAbort)
      resolve()
    }, delayMs)
    signal.addEventListener('abort', onAbort, { once: true })
  })
}

/** A time limit is split into this many timers. */
const PARTS = 5
const SHORTEST_PART_MS = 10

/**
 * Calls back after `delayMs` in which this process was able to run. A process that is throttled, stopped or busy does not see
 * responses that arrived in time, so the time that one timer is late does not count: a response must not look late because
 * this process was.
 */
function setRunningTimeout(clock: Clock, callback: () => void, delayMs: number): () => void {
  const partMs = Math.max(delayMs / PARTS, SHORTEST_PART_MS)
  let leftMs = delayMs
  let cancel = () => {}
  const startNextPart = () => {
    const ms = Math.min(partMs, leftMs)
    cancel = clock.setTimeout(() => {
      leftMs -= ms
      if (leftMs > 0) startNextPart()
      else callback()
    }, ms)
  }
  startNextPart()
  return () => cancel()
}

/**
 * The result of `work`, unless it takes longer than `limitMs` or `signal` aborts. In these cases the signal that `work` got
 * aborts too, with the error that is thrown: what `timeout` returns, or the signal's reason.
 */
export async function withLimit<T>(
  clock: Clock,
  limitMs: number,
  timeout: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  if (signal?.aborted) throw signal.reason
  const controller = new AbortController()
  const onAbort = () => controller.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  const cancel = setRunningTimeout(clock, () => controller.abort(timeout()), limitMs)
  try {
    return await new Promise<T>((resolve, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
      work(controller.signal).then(resolve, reject)
    })
  } finally {
    cancel()
    signal?.removeEventListener('abort', onAbort)
  }
}
