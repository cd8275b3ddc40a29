import type { ServerResponse } from 'node:http'
import { TokenRequestError } from '@tokenward/core'

/** A response of the proxy itself. */
export interface Failure {
  readonly status: number
  /** What failed: the header `tokenward-error` says so, because an API may respond with the same status. */
  readonly at: 'request' | 'token' | 'api'
  readonly error: string
  readonly message: string
  readonly retryAfterMs?: number | undefined
}

const TIMEOUTS = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'])

/** What a caller learns of an error. It holds no secret: core keeps them out of its errors, and of others only the code is told. */
export function failureOf(error: unknown): Failure {
  if (error instanceof TokenRequestError) {
    const { error: code, message, retryAfterMs, retryable } = error
    return { status: retryable ? 503 : 502, at: 'token', error: code, message, retryAfterMs }
  }
  const code = codeOf(error) ?? 'unknown'
  const status = TIMEOUTS.has(code) ? 504 : 502
  return { status, at: 'api', error: code, message: `the API did not respond (${code})` }
}

function codeOf(error: unknown): string | undefined {
  const { code, cause } = Object(error) as { code?: unknown; cause?: unknown }
  if (typeof code === 'string') return code
  return cause === undefined ? undefined : codeOf(cause)
}

/** The failure as the headers and the body of a response. */
export function failureResponse({ at, error, message, retryAfterMs }: Failure): {
  headers: Record<string, string>
  body: string
} {
  const body = `${JSON.stringify({ error, message })}\n`
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'tokenward-error': at,
  }
  if (retryAfterMs !== undefined) headers['retry-after'] = String(Math.ceil(retryAfterMs / 1_000))
  return { headers, body }
}

export function respondWith(failure: Failure, response: ServerResponse): void {
  // A response that has begun can only be cut, so that nobody takes it for whole.
  if (response.headersSent) return void response.destroy()
  const { headers, body } = failureResponse(failure)
  response.writeHead(failure.status, headers).end(body)
}
