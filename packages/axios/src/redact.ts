import type { AxiosHeaders } from 'axios'

const REDACTED = '[redacted]'
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** Takes what we have set out of headers that callers, and the logs of callers, get to see. */
export function redactHeaders(headers: AxiosHeaders, secrets: Readonly<Record<string, string>>): void {
  for (const [name, secret] of Object.entries(secrets)) {
    if (headers.get(name) === secret) headers.set(name, REDACTED, true)
  }
}

/**
 * Takes what we have set out of a request that has been made: axios hands it to callers as `error.request` and
 * `response.request`. What is not found, in a runtime or version to come, stays; nothing breaks.
 */
export function redactRequest(request: unknown, secrets: Readonly<Record<string, string>>): void {
  if (typeof request !== 'object' || request === null) return
  try {
    if (request instanceof Request) {
      for (const name of Object.keys(secrets)) request.headers.set(name, REDACTED)
    } else redactNodeRequest(request as NodeRequest, secrets)
  } catch {
    // Frozen, or of another shape: it is no reason to fail a call that has been answered.
  }
}

/** The places where node:http, and follow-redirects around it, keep the headers of a request. */
interface NodeRequest {
  _header?: string | null
  _options?: { headers?: Record<string, unknown> }
  _currentRequest?: NodeRequest
  _redirectable?: NodeRequest
  outputData?: Written[]
  socket?: { _pendingData?: string | Written[] | null } | null
  [INSPECT]?: unknown
}

/** What waits for a connection. */
interface Written {
  data?: unknown
  chunk?: unknown
}

function redactNodeRequest(request: NodeRequest, secrets: Readonly<Record<string, string>>): void {
  if (Object.hasOwn(request, INSPECT)) return
  // Its agent leads to whatever else is being sent at the time, with tokens of its own.
  Object.defineProperty(request, INSPECT, { value: nameOnly, configurable: true })
  const clean = (text: string) => Object.values(secrets).reduce((all, secret) => all.replaceAll(secret, REDACTED), text)
  if (request._header) request._header = clean(request._header)
  const { socket, outputData = [] } = request
  const pending = socket?._pendingData ?? []
  if (socket && typeof pending === 'string') socket._pendingData = clean(pending)
  for (const written of typeof pending === 'string' ? outputData : [...outputData, ...pending]) {
    if (typeof written.data === 'string') written.data = clean(written.data)
    if (typeof written.chunk === 'string') written.chunk = clean(written.chunk)
  }
  const { headers } = request._options ?? {}
  for (const key of Object.keys(headers ?? {})) {
    if (headers && headers[key] === secrets[key.toLowerCase()]) headers[key] = REDACTED
  }
  const sent = outgoingHeaders(request)
  for (const header of Object.keys(secrets)) {
    if (sent?.[header]) sent[header][1] = REDACTED
  }
  if (request._currentRequest) redactNodeRequest(request._currentRequest, secrets)
  if (request._redirectable) redactNodeRequest(request._redirectable, secrets)
}

function nameOnly(this: object): string {
  return `[${this.constructor.name}]`
}

/** By lower-case name: the name as it was given, and the value. */
function outgoingHeaders(request: object): Record<string, [name: string, value: unknown]> | undefined {
  const symbol = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'kOutHeaders')
  return symbol && Reflect.get(request, symbol)
}
