/**
 * The result of `promise`, or a rejection with the reason of the first signal that aborts. The promise itself goes on for
 * other callers, and its rejection is not unhandled here.
 */
export function untilAborted<T>(promise: Promise<T>, ...given: (AbortSignal | undefined)[]): Promise<T> {
  const signals = given.filter((signal) => signal !== undefined)
  if (signals.length === 0) return promise
  return new Promise<T>((resolve, reject) => {
    const listeners = signals.map((signal) => {
      const onAbort = () => reject(signal.reason)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
      return () => signal.removeEventListener('abort', onAbort)
    })
    const removeListeners = () => {
      for (const remove of listeners) remove()
    }
    promise.then(resolve, reject).finally(removeListeners)
  })
}
