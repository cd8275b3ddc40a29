import type { KeyvClient } from './keyv-client'
import { KeyvStoreError } from './keyv-store-error'

/** A Keyv whose failures can be told from its answers. */
export interface WatchedKeyv {
  /**
   * Runs one operation.
   *
   * @throws KeyvStoreError when it throws, or when its answer may be a failure and the Keyv emitted an error meanwhile.
   */
  run<T>(operation: string, call: () => Promise<T>, mayBeFailure: (answer: T) => boolean): Promise<T>
}

/**
 * Listens to a Keyv. By default it swallows what its backend throws: it emits `error`, and answers as if there were
 * nothing. Somebody has to listen, too: without a listener, a connection that breaks while idle ends the process.
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
        const answer = await call()
        // The error may be another operation's, of the same moment: a failing backend, all the same.
        if (!mayBeFailure(answer) || errors === before) return answer
      } catch (error) {
        throw new KeyvStoreError(operation, error)
      }
      throw new KeyvStoreError(operation, latest)
    },
  }
}
