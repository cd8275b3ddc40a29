import type { Attempt } from './attempt'
import {
  directTransport,
  fetchTransport,
  type PlatformRequest,
  type PlatformResponse,
  ResponseTooLong,
  type Transport,
} from './transport'

/** How often a request is sent, at most. */
const MOST_TRIES = 3
const FIRST_PAUSE_MS = 200

export interface AskOptions {
  /** What a refusal may mean, by its status. */
  readonly hints?: Readonly<Record<number, string>> | undefined
  /** More statuses, beside 429 and 5xx, after which the platform's documentation says to try again. */
  readonly retried?: readonly number[] | undefined
  /** What a failed connection means. */
  readonly unreachable?: string | undefined
  /** What must be true of every response of the platform. Returns what is wrong. */
  readonly check?: ((response: PlatformResponse) => string | undefined) | undefined
}

/** The transport to an endpoint of the machine itself. */
export function localTransport(send: typeof fetch | undefined): Transport {
  return send ? fetchTransport(send) : (directTransport() ?? fetchTransport(globalThis.fetch))
}

/** The transport to an endpoint on the network. */
export function remoteTransport(send: typeof fetch | undefined): Transport {
  return fetchTransport(send ?? globalThis.fetch)
}

/**
 * Sends a request to a platform until it responds with 200. It is repeated, with a pause, after statuses that pass.
 *
 * @throws IdentityError for every other response.
 */
export async function ask(
  attempt: Attempt,
  transport: Transport,
  request: PlatformRequest,
  options: AskOptions = {},
): Promise<PlatformResponse> {
  const { hints = {}, retried = [], check } = options
  for (let tries = 1; ; tries++) {
    const response = await send(attempt, transport, request, options)
    const { status } = response
    const wrong = check?.(response)
    if (wrong !== undefined) throw attempt.error('invalid_response', wrong, status)
    if (status === 200) return response
    const mayPass = status === 429 || status >= 500 || retried.includes(status)
    if (!mayPass || tries >= MOST_TRIES) {
      const code = errorCode(response.body, request)
      const parts = [
        `${shown(request.url)} responded with ${status}`,
        code && `(${code})`,
        hints[status] && `: ${hints[status]}`,
      ]
      const message = parts.filter(Boolean).join(' ').replace(' :', ':')
      // A redirect is not followed: the request may contain a secret.
      throw attempt.error(status >= 300 && status < 400 ? 'invalid_response' : 'refused', message, status)
    }
    await attempt.sleep(FIRST_PAUSE_MS * 2 ** (tries - 1))
  }
}

async function send(
  attempt: Attempt,
  transport: Transport,
  request: PlatformRequest,
  { unreachable }: AskOptions,
): Promise<PlatformResponse> {
  try {
    return await transport(request, attempt.signal)
  } catch (error) {
    if (attempt.signal.aborted) throw attempt.signal.reason
    const where = shown(request.url)
    if (error instanceof ResponseTooLong) {
      throw attempt.error('invalid_response', `the response of ${where} is longer than any token`)
    }
    const code = connectionCode(error)
    const message = `the connection to ${where} failed${code ? ` (${code})` : ''}`
    throw attempt.error('network_error', unreachable ? `${message}: ${unreachable}` : message)
  }
}

/** A URL without user name, password, query and fragment. */
export function shown({ origin, pathname }: URL): string {
  return `${origin}${pathname}`
}

/** The members of a JSON object. Anything else has none. */
export function membersOf(body: string): Readonly<Record<string, unknown>> {
  try {
    return (JSON.parse(body) as Record<string, unknown> | null) ?? {}
  } catch {
    return {}
  }
}

/**
 * The error code of a refusal. Descriptions are not repeated, because they may quote the request. A code is short, and no part of a
 * header that was sent.
 */
function errorCode(body: string, { headers, body: sent = '' }: PlatformRequest): string | undefined {
  const [, xml] = /<Code>(\w{1,60})<\/Code>/.exec(body) ?? []
  const { error, code, Code } = membersOf(body)
  const nested = typeof error === 'object' && error !== null ? (error as { code?: unknown }).code : undefined
  const secrets = [...Object.values(headers), sent]
  const isShown = (value: unknown): value is string =>
    typeof value === 'string' && /^[A-Za-z_]{1,60}$/.test(value) && !secrets.some((secret) => secret.includes(value))
  return [xml, error, code, Code, nested].find(isShown)
}

/** The code of a failed connection, such as `ECONNREFUSED`, wherever in the chain of causes it is. */
export function connectionCode(error: unknown): string | undefined {
  let current: unknown = error
  for (let depth = 0; depth < 5 && typeof current === 'object' && current !== null; depth++) {
    const { code, cause, errors } = current as { code?: unknown; cause?: unknown; errors?: unknown[] }
    if (typeof code === 'string' && /^[A-Z][\w.]{1,60}$/.test(code)) return code
    current = cause ?? errors?.[0]
  }
  return undefined
}

/** The time of the platform that responded, in milliseconds since 1970, if it says so: this machine's clock may be wrong. */
export function timeOf({ headers }: PlatformResponse): number | undefined {
  const ms = Date.parse(headers.get('date') ?? '')
  return Number.isNaN(ms) ? undefined : ms
}
