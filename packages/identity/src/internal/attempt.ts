import type { Clock } from '@tokenward/core'
import { IdentityError, type IdentityErrorReason } from '../identity-error'
import type { Environment, IdentityContext, IdentityTokenOptions } from '../identity-token'

const DEFAULT_TIMEOUT_MS = 5_000

const systemClock: Pick<Clock, 'now' | 'setTimeout'> = {
  now: () => Date.now(),
  setTimeout(callback, delayMs, { unref = false } = {}) {
    const timer = setTimeout(callback, delayMs)
    if (unref) timer.unref?.()
    return () => clearTimeout(timer)
  },
}

/** One call of a supplier: its time limit, its environment, and the errors of its platform. */
export class Attempt {
  /** Aborts when the time is over, or when the caller has aborted. */
  readonly signal: AbortSignal
  readonly platform: string
  readonly env: Environment
  readonly clock: Pick<Clock, 'now' | 'setTimeout'>

  constructor(platform: string, options: IdentityTokenOptions, signal: AbortSignal) {
    this.platform = platform
    this.signal = signal
    this.env = options.env ?? globalThis.process?.env ?? {}
    this.clock = options.clock ?? systemClock
  }

  /** An environment variable; an empty one counts as not set. */
  variable(name: string): string | undefined {
    return this.env[name] || undefined
  }

  error(reason: IdentityErrorReason, message: string, status?: number): IdentityError {
    return new IdentityError({ platform: this.platform, reason, message, status })
  }

  /** What tells that this is another platform. */
  elsewhere(missing: string): IdentityError {
    return this.error('not_available', `not running on ${this.platform}: environment variable ${missing} is not set`)
  }

  /** Waits. Rejects with the signal's reason when that aborts first. */
  sleep(delayMs: number): Promise<void> {
    return untilAborted(new Promise((resolve) => this.clock.setTimeout(resolve, delayMs, { unref: true })), this.signal)
  }
}

/** Runs one call of a supplier. It ends by the time limit or by the caller's signal, whatever `work` does. */
export async function attempt<T>(
  platform: string,
  options: IdentityTokenOptions,
  { signal: caller }: Pick<IdentityContext, 'signal'>,
  work: (attempt: Attempt) => Promise<T>,
): Promise<T> {
  const { timeoutMs = DEFAULT_TIMEOUT_MS, clock = systemClock } = options
  const controller = new AbortController()
  const { signal } = controller
  const cancelTimer = clock.setTimeout(
    () => {
      const message = `no response within ${timeoutMs} ms`
      controller.abort(new IdentityError({ platform, reason: 'timeout', message }))
    },
    timeoutMs,
    { unref: true },
  )
  const onAbort = () => controller.abort(caller?.reason)
  if (caller?.aborted) onAbort()
  else caller?.addEventListener('abort', onAbort, { once: true })
  try {
    signal.throwIfAborted()
    return await untilAborted(work(new Attempt(platform, options, signal)), signal)
  } catch (error) {
    // What a transport throws when it is aborted says less than the reason.
    throw signal.aborted ? signal.reason : error
  } finally {
    cancelTimer()
    caller?.removeEventListener('abort', onAbort)
  }
}

function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
