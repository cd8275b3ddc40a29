import type { KeyvClient } from './keyv-client'
import { codeOf, KeyvStoreError } from './keyv-store-error'

/** Runs the operations of a Keyv, and notices when they fail. */
export interface WatchedKeyv {
  /**
   * Runs one operation.
   *
   * @throws KeyvStoreError when the operation throws, or when its result may be a failure and the Keyv emitted an error meanwhile
   */
  run<T>(operation: string, call: () => Promise<T>, mayBeFailure: (result: T) => boolean): Promise<T>
}

/**
 * Listens to the errors of a Keyv. By default a Keyv hides what its backend throws: it emits `error`, and returns the same as for
 * a missing value. The listener is also needed because an `error` event without a listener ends the process.
 */
export function watchKeyv(keyv: KeyvClient): WatchedKeyv {
  let errors = 0
  let latest: unknown
  keyv.on('error', (error) => {
    errors++
    latest = error
  })
  return {
    async run(operation, call, mayBeFailure) {
      const before = errors
      try {
        const result = await call()
        // The error may belong to another operation at the same time. The backend fails in that case too.
        if (!mayBeFailure(result) || errors === before) return result
      } catch (error) {
        throw new KeyvStoreError(operation, codeOf(error))
      }
      throw new KeyvStoreError(operation, codeOf(latest))
    },
  }
}
