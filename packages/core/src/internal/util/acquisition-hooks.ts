import type { AcquiredToken, Acquisition, AcquisitionHook } from '../../acquisition'
import type { Unsubscribe } from '../../events'
import { quietly } from './quietly'

/** The hooks around acquisitions. Without a hook, an acquisition costs nothing more. */
export class AcquisitionHooks {
  readonly #hooks = new Set<{ readonly call: AcquisitionHook }>()

  add(call: AcquisitionHook): Unsubscribe {
    const hook = { call }
    this.#hooks.add(hook)
    return () => {
      this.#hooks.delete(hook)
    }
  }

  /** The result of `acquire`, which runs within all hooks. @param describe what hooks get of the result */
  run<T>(acquisition: Acquisition, describe: (result: T) => AcquiredToken, acquire: () => Promise<T>): Promise<T> {
    let run = acquire
    for (const { call } of this.#hooks) {
      const inner = run
      run = () => within(call, acquisition, describe, inner)
    }
    return run()
  }
}

/** A hook cannot change the result, and a hook that does not call `acquire` is passed by. */
function within<T>(
  hook: AcquisitionHook,
  acquisition: Acquisition,
  describe: (result: T) => AcquiredToken,
  acquire: () => Promise<T>,
): Promise<T> {
  let result: Promise<T> | undefined
  const acquireOnce = () => {
    result ??= acquire()
    return result
  }
  quietly(() =>
    hook(acquisition, () => {
      const described = acquireOnce().then(describe)
      // The hook may not wait for it.
      described.catch(() => {})
      return described
    }),
  )
  return acquireOnce()
}
