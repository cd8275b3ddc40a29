import type { Clock } from '../../clock'

/** Resolves after `delayMs`; rejects with the signal's reason when it aborts before. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
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

/** A time limit is counted in as many parts. */
const PARTS = 5
const SHORTEST_PART_MS = 10

/**
 * Calls back after `delayMs` of this process's own time: a part that passes while the process gets no turn (throttled,
 * stopped, busy) counts no more than it should have taken. What waits to be read by then must not look late.
 */
function setOwnTimeout(clock: Clock, callback: () => void, delayMs: number): () => void {
  const partMs = Math.max(delayMs / PARTS, SHORTEST_PART_MS)
  let leftMs = delayMs
  let cancel = () => {}
  const next = () => {
    const ms = Math.min(partMs, leftMs)
    cancel = clock.setTimeout(() => {
      leftMs -= ms
      if (leftMs > 0) next()
      else callback()
    }, ms)
  }
  next()
  return () => cancel()
}

/**
 * What `work` comes to, unless that takes longer than `limitMs` or `signal` aborts. Then the signal that `work` was
 * given aborts too, with the error that is thrown: the signal's reason, or what `timeout` makes.
 */
export async function withLimit<T>(
  clock: Clock,
  limitMs: number,
  timeout: () => unknown,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const controller = new AbortController()
  const end = () => controller.abort(signal?.reason)
  if (signal?.aborted) throw signal.reason
  signal?.addEventListener('abort', end, { once: true })
  const cancel = setOwnTimeout(clock, () => controller.abort(timeout()), limitMs)
  try {
    return await new Promise<T>((resolve, reject) => {
      controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true })
      work(controller.signal).then(resolve, reject)
    })
  } finally {
    cancel()
    signal?.removeEventListener('abort', end)
  }
}
