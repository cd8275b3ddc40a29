/** A server that wants more time than this gets its next request as if it had not said so. */
const LONGEST_RETRY_AFTER_MS = 300_000

/**
 * `Retry-After` in milliseconds, in both its forms (RFC 9110 §10.2.3). A date counts from the server's own `Date`. Undefined
 * when there is none, or it is not between 0 and 300 s.
 *
 * @param now this machine's wall clock, for a date in a response that has no `Date`
 */
export function retryAfterMs(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (!value) return undefined
  if (/^\d+$/.test(value)) return sensibleRetryAfter(Number(value) * 1_000)
  const until = parseHttpDate(value)
  const serverNow = parseHttpDate(headers.get('date')) ?? now
  return until === undefined ? undefined : sensibleRetryAfter(until - serverNow)
}

/** The time, unless it is not between 0 and 300 s. */
export function sensibleRetryAfter(ms: number | undefined): number | undefined {
  return ms !== undefined && ms >= 0 && ms <= LONGEST_RETRY_AFTER_MS ? ms : undefined
}

/** A date in one of the three forms of HTTP (RFC 9110 §5.6.7), in milliseconds since 1970. */
export function parseHttpDate(text: string | null): number | undefined {
  // Date.parse also takes "-99999" and "1" for years.
  if (text === null || !/^[A-Za-z]{3,9},? [\w :-]{16,28}$/.test(text.trim())) return undefined
  const date = text.trim()
  const ms = Date.parse(date.endsWith('GMT') ? date : `${date} GMT`)
  return Number.isNaN(ms) ? undefined : ms
}
