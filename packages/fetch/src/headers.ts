/** Headers that nobody changes any more: plain strings, or the platform's object where they are more than that. */
export type HeaderSnapshot = Readonly<Record<string, string>> | Headers

type Credentials = Readonly<Record<string, string>>

const NONE: HeaderSnapshot = Object.freeze({})

/** The names of what only this adapter may set. */
const CREDENTIALS = ['authorization', 'dpop']

/**
 * A copy of a call's headers, as an object of strings where that says all. The platform makes a `Headers` of it anyway. To set a token in
 * a `Headers` here would check it twice, and that costs more than the rest of a call.
 */
export function snapshotHeaders(headers: HeadersInit | undefined): HeaderSnapshot {
  if (headers === undefined) return NONE
  if (headers instanceof Headers) return plain(headers)
  const prototype: unknown =
    typeof headers === 'object' && headers !== null ? Object.getPrototypeOf(headers) : undefined
  if (prototype !== Object.prototype) return plain(new Headers(headers))
  const copy: Record<string, string> = {}
  for (const name of Object.keys(headers)) {
    const value: unknown = (headers as Record<string, unknown>)[name]
    if (typeof value !== 'string' || name === '__proto__') return plain(new Headers(headers))
    copy[name] = value
  }
  return Object.getOwnPropertySymbols(headers).length === 0 ? copy : plain(new Headers(headers))
}

/** An object of strings. A copy of the platform's object when a header has several values or cannot be a property. */
function plain(headers: Headers): HeaderSnapshot {
  let copy: Record<string, string> | undefined
  for (const [name, value] of headers) {
    if (name === 'set-cookie' || name === '__proto__') return new Headers(headers)
    copy ??= {}
    copy[name] = value
  }
  return copy ?? NONE
}

/** A copy of `headers` with these credentials. Who patched the platform's `fetch` may write into it. */
export function withCredentials(headers: HeaderSnapshot, credentials: Credentials): Record<string, string> | Headers {
  if (headers === NONE) return { ...credentials }
  if (headers instanceof Headers) {
    const copy = new Headers(headers)
    setCredentials(copy, credentials)
    return copy
  }
  const copy: Record<string, string> = {}
  for (const name of Object.keys(headers)) {
    if (!isCredential(name)) copy[name] = headers[name] ?? ''
  }
  return Object.assign(copy, credentials)
}

/** Sets these credentials, and removes others of the same kind. */
export function setCredentials(headers: Headers, credentials: Credentials = {}): void {
  for (const name of CREDENTIALS) {
    const value = credentials[name]
    if (value !== undefined) headers.set(name, value)
    else headers.delete(name)
  }
}

function isCredential(name: string): boolean {
  return (name.length === 13 || name.length === 4) && CREDENTIALS.includes(name.toLowerCase())
}
