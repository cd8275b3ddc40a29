/** RFC 6749 §A.17: printable ASCII. */
const REFRESH_TOKEN = /^[\x20-\x7e]{1,65536}$/

export function isRefreshToken(value: unknown): value is string {
  return typeof value === 'string' && REFRESH_TOKEN.test(value)
}
