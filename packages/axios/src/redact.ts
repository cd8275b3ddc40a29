import type { AxiosHeaders } from 'axios'

const REDACTED = '[redacted]'
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** Removes our secrets from headers that callers can see and log. */
export function redactHeaders(headers: AxiosHeaders, secrets: Readonly<Record<string, string>>): void {
  for (const [name, secret] of Object.entries(secrets)) {
    if (headers.get(name) === secret) headers.set(name, REDACTED, true)
  }
}

/**
 * Removes our secrets from a request that was sent: callers get it as `error.request` and `response.request`. A later
 * version of Node or axios may keep them in other places. They stay there, and nothing breaks.
 */
export function redactRequest(request: unknown, secrets: Readonly<Record<string, string>>): void {
  if (typeof request !== 'object' || request === null) return
  try {
    if (request instanceof Request) {
      for (const name of Object.keys(secrets)) request.headers.set(name, REDACTED)
    } else redactNodeRequest(request as NodeRequest, secrets)
  } catch {
    // The object is frozen or has another shape. That must not fail a call that has its response.
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

/** Data that waits for a connection. */
interface Written {
  data?: unknown
  chunk?: unknown
}

function redactNodeRequest(request: NodeRequest, secrets: Readonly<Record<string, string>>): void {
  if (Object.hasOwn(request, INSPECT)) return
  // Without this, `inspect` shows its agent, and so the other requests of that agent, with their tokens.
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

/** The property of a request of node:http that has its headers: the same for all of them. */
let outHeaders: symbol | undefined

/** By lower-case name: the name as the caller wrote it, and the value. */
function outgoingHeaders(request: NodeRequest): Record<string, [name: string, value: unknown]> | undefined {
  // follow-redirects keeps none beside those of the request that it wraps.
  if (request._currentRequest) return undefined
  if (outHeaders === undefined || !Object.hasOwn(request, outHeaders)) {
    outHeaders = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'kOutHeaders')
  }
  return outHeaders && Reflect.get(request, outHeaders)
}
