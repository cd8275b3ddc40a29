import { TokenRequestError } from '../../errors'
import { parseObject } from './store-entry'

/** What a token endpoint told one process of a fleet, so that the others leave it alone for a while. */
export interface SharedFailure {
  /** Its `retryAfterMs` is how long the others wait. */
  readonly error: TokenRequestError
  /** Only renewals ahead wait. A process without a valid token may send its request all the same. */
  readonly aheadOnly: boolean
}

/** How it is written into a store, under a key that all clients of the endpoint share. */
interface FailureEntry {
  readonly v: 1
  /** The key it was stored under. */
  readonly failure: string
  readonly status: number
  /** Milliseconds since 1970. */
  readonly until: number
  /** From the time of the write to `until`, in milliseconds. A clock that is behind must not lengthen it. */
  readonly retryAfterMs: number
  readonly aheadOnly: boolean
}

/** Anyone who can write to the store may have put an entry there: no process waits longer than this because of it. */
const LONGEST_MS = 30_000

/** Only what the endpoint itself responded is shared. A failed connection may be this process's own problem. */
const SHARED_STATUSES = new Set([429, 503])

/**
 * The failure to share with other processes; undefined when it is not theirs to know.
 *
 * @param circuitError the error for callers while the circuit is open, if it is
 * @param backoffMs how long renewals ahead are postponed, if the failed request was one
 */
export function sharedFailure(
  error: unknown,
  circuitError: TokenRequestError | undefined,
  backoffMs: number | undefined,
): SharedFailure | undefined {
  if (!(error instanceof TokenRequestError) || !SHARED_STATUSES.has(error.status ?? 0)) return undefined
  const retryAfterMs = circuitError?.retryAfterMs ?? backoffMs
  if (retryAfterMs === undefined) return undefined
  return { error: failureOf(error.client, error.status ?? 0, retryAfterMs), aheadOnly: circuitError === undefined }
}

export function writeSharedFailure(key: string, { error, aheadOnly }: SharedFailure, now: number): string {
  const { status = 0, retryAfterMs = 0 } = error
  const entry: FailureEntry = {
    v: 1,
    failure: key,
    status,
    until: Math.round(now + retryAfterMs),
    retryAfterMs,
    aheadOnly,
  }
  return JSON.stringify(entry)
}

/** The failure of an entry whose time is not over. Nothing of the entry's text reaches an error. */
export function readSharedFailure(key: string, client: string, text: unknown, now: number): SharedFailure | undefined {
  const entry = parseObject<FailureEntry>(text)
  if (entry?.v !== 1 || entry.failure !== key) return undefined
  const { status, until, retryAfterMs: givenMs, aheadOnly } = entry
  if (typeof status !== 'number' || !SHARED_STATUSES.has(status) || typeof until !== 'number') return undefined
  if (typeof givenMs !== 'number') return undefined
  const retryAfterMs = Math.ceil(Math.min(until - now, givenMs, LONGEST_MS))
  if (!(retryAfterMs > 0)) return undefined
  return { error: failureOf(client, status, retryAfterMs), aheadOnly: aheadOnly === true }
}

function failureOf(client: string, status: number, givenMs: number): TokenRequestError {
  const retryAfterMs = Math.min(givenMs, LONGEST_MS)
  const errorDescription = `another process got the status ${status} from the token endpoint`
  return new TokenRequestError({
    client,
    error: 'server_error',
    errorDescription,
    status,
    retryable: true,
    retryAfterMs,
  })
}
