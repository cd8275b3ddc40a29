import { TokenRequestError } from '@tokenward/core'

/** What the errors of `@azure/identity`, of its libraries and of the HTTP pipeline may have. */
interface ErrorLike {
  readonly name?: unknown
  readonly message?: unknown
  readonly code?: unknown
  readonly statusCode?: unknown
  readonly errorCode?: unknown
  readonly errorResponse?: { readonly error?: unknown }
  readonly errors?: readonly unknown[]
  readonly cause?: unknown
}

const MOST_ERRORS = 30

/** The OAuth codes that are not about this one moment (RFC 6749 §5.2). */
const FINAL = new Set([
  'invalid_client',
  'invalid_grant',
  'invalid_request',
  'invalid_scope',
  'invalid_target',
  'unauthorized_client',
  'unsupported_grant_type',
  'invalid_resource',
])

/**
 * The error for whatever a credential has thrown; undefined: it returned nothing. Of the text, only the codes are repeated, because the rest
 * could be anything. The thrown error itself is the cause, as for every supplier of the user's.
 */
export function credentialFailure(client: string, thrown: unknown): TokenRequestError {
  const errors = all(thrown)
  const codes = errors.flatMap(({ errorResponse, errorCode }) => [errorResponse?.error, errorCode])
  const final = codes.find((code): code is string => typeof code === 'string' && FINAL.has(code))
  const entra = errors.flatMap(({ message }) => /\bAADSTS\d{3,9}\b/.exec(String(message)) ?? [])[0]
  const status = errors.map(({ statusCode }) => statusCode).find((each) => typeof each === 'number')
  const names = errors.map(({ name }) => name).filter((name) => typeof name === 'string')
  const [name = 'nothing'] = names
  const what = thrown === undefined ? 'the credential returned no token' : `the credential failed: ${plain(name)}`
  const description = entra === undefined ? what : `${what}, ${entra}`
  const details = { client, errorDescription: description, status, step: 'supplier', cause: thrown } as const
  if (final !== undefined) return new TokenRequestError({ ...details, error: final, retryable: false })
  const error = codes.includes('network_error') ? 'network_error' : 'credential_unavailable'
  return new TokenRequestError({ ...details, error, retryable: true })
}

/** The error, its causes, and the errors that it collects. */
function all(thrown: unknown): ErrorLike[] {
  const found: ErrorLike[] = []
  const queue = [thrown]
  while (queue.length > 0 && found.length < MOST_ERRORS) {
    const next = queue.shift()
    if (typeof next !== 'object' || next === null) continue
    const error: ErrorLike = next
    found.push(error)
    queue.push(error.cause, ...(Array.isArray(error.errors) ? error.errors : []))
  }
  return found
}

/** The name of a class. */
function plain(name: string): string {
  return /^\w{1,60}$/.test(name) ? name : 'Error'
}
