import { TokenRequestError } from '../../errors'
import { parseObject } from './store-entry'

/** A token request failed in one process of a fleet, and for how long the others need not try. */
export interface SharedPause {
  /** Its `retryAfterMs` is what is left of the pause. */
  readonly error: TokenRequestError
  /** Only renewals ahead are paused: who has no token may try all the same. */
  readonly aheadOnly: boolean
}

/** How it stands in a store, under the group of its client. */
interface PauseEntry {
  readonly v: 1
  readonly pause: string
  readonly client: string
  readonly error: string
  readonly errorDescription?: string | undefined
  readonly status?: number | undefined
  readonly retryable: boolean
  /** Milliseconds since 1970, because processes share no other clock. */
  readonly until: number
  readonly pauseMs: number
  readonly aheadOnly: boolean
}

/**
 * What the others should know of a failure.
 *
 * @param outage the error for those who may not ask now, if there is one
 * @param aheadPauseMs how long renewals ahead are paused, when it was one
 */
export function pauseAfter(
  error: unknown,
  outage: TokenRequestError | undefined,
  aheadPauseMs: number | undefined,
): SharedPause | undefined {
  // A secret or a supplier that fails here may work elsewhere.
  if (!(error instanceof TokenRequestError) || !error.retryable || error.error === 'credential_unavailable') return
  const retryAfterMs = outage?.retryAfterMs ?? aheadPauseMs
  if (retryAfterMs === undefined) return
  const { client, error: reason, errorDescription, status, retryable } = error
  const shared = new TokenRequestError({ client, error: reason, errorDescription, status, retryable, retryAfterMs })
  return { error: shared, aheadOnly: outage === undefined }
}

export function writePause(group: string, { error: failure, aheadOnly }: SharedPause, now: number): string {
  const { client, error, errorDescription, status, retryable, retryAfterMs: pauseMs = 0 } = failure
  const until = Math.round(now + pauseMs)
  const entry: PauseEntry = {
    v: 1,
    pause: group,
    client,
    error,
    errorDescription,
    status,
    retryable,
    until,
    pauseMs,
    aheadOnly,
  }
  return JSON.stringify(entry)
}

/** The pause of an entry that is still on; undefined when it is over or the text is none. */
export function readPause(group: string, text: unknown, now: number): SharedPause | undefined {
  const entry = parseObject<PauseEntry>(text)
  if (entry?.v !== 1 || entry.pause !== group) return undefined
  const { client, error, errorDescription, status, retryable, until, pauseMs, aheadOnly } = entry
  if (typeof client !== 'string' || typeof error !== 'string' || typeof retryable !== 'boolean') return undefined
  if (typeof until !== 'number' || typeof pauseMs !== 'number') return undefined
  // A wall clock that is behind must not lengthen it.
  const retryAfterMs = Math.ceil(Math.min(until - now, pauseMs))
  if (!(retryAfterMs > 0)) return undefined
  const details = {
    ...(typeof errorDescription === 'string' ? { errorDescription } : {}),
    ...(typeof status === 'number' ? { status } : {}),
  }
  return {
    error: new TokenRequestError({ client, error, retryable, retryAfterMs, ...details }),
    aheadOnly: aheadOnly === true,
  }
}
