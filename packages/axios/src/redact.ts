import type { AxiosResponse } from 'axios'

/** The headers that contain secrets, by lower-case name. */
type Secrets = Readonly<Record<string, string>>

const REDACTED = '[redacted]'
const INSPECT = Symbol.for('nodejs.util.inspect.custom')

/** Removes our secrets from headers that callers can see and log. */
export function redactHeaders(headers: Record<string, unknown>, secrets: Secrets): void {
  const values: unknown[] = Object.values(secrets)
  for (const name of Object.keys(headers)) {
    if (values.includes(headers[name])) headers[name] = REDACTED
  }
}

/**
 * Removes our secrets from the request of a response. Where nothing else of the response leads to the request, that is done when
 * somebody reads `response.request`: few callers do, and it takes longer than anything else that is done for a response.
 *
 * @param isAxiosOwn whether an adapter of axios itself made the response
 */
export function redactResponse(response: AxiosResponse, secrets: Secrets, isAxiosOwn: boolean): void {
  const { data, config, request } = response
  if (!isAxiosOwn || !isPlain(data) || config.httpAgent || config.httpsAgent || config.transport) {
    redactRequest(request, secrets)
    return
  }
  Object.defineProperty(response, 'request', {
    get() {
      redactRequest(request, secrets)
      return request
    },
    set(value: unknown) {
      Object.defineProperty(response, 'request', { value, writable: true, enumerable: true, configurable: true })
    },
    enumerable: true,
    configurable: true,
  })
}

/** Whether a body is text or bytes. A stream of node:http has a property with its request. */
function isPlain(data: unknown): boolean {
  return typeof data === 'string' || data === undefined || data === null || ArrayBuffer.isView(data)
}

/**
 * Removes our secrets from a request that was sent: callers get it as `error.request` and `response.request`. A later
 * version of Node or axios may keep them in other places. They stay there, and nothing breaks.
 */
export function redactRequest(request: unknown, secrets: Secrets): void {
  if (typeof request !== 'object' || request === null) return
  try {
    if (request instanceof Request) {
      for (const name of Object.keys(secrets)) request.headers.set(name, REDACTED)
    } else redactNodeRequest(request as NodeRequest, secrets)
  } catch {
    // The object is frozen or has another shape. That must not fail a call that has its response.
  }
}

/** The places where node:http, follow-redirects around it, and node:http2 keep the headers of a request. */
interface NodeRequest {
  sentHeaders?: Record<string, unknown>
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

function redactNodeRequest(request: NodeRequest, secrets: Secrets): void {
  if (request[INSPECT] === nameOnly) return
  // Without it, `inspect` shows the request's agent, and so the other requests of that agent, with their tokens.
  request[INSPECT] = nameOnly
  if (request._header) request._header = withoutSecrets(request._header, secrets)
  redactPending(request, secrets)
  if (request._options?.headers) redactHeaders(request._options.headers, secrets)
  if (request.sentHeaders) redactHeaders(request.sentHeaders, secrets)
  // follow-redirects keeps no other headers beside those of the request that it wraps.
  const sent = request._currentRequest ? undefined : outgoingHeaders(request)
  for (const name of sent ? Object.keys(secrets) : []) {
    if (sent?.[name]) sent[name][1] = REDACTED
  }
  if (request._currentRequest) redactNodeRequest(request._currentRequest, secrets)
  if (request._redirectable) redactNodeRequest(request._redirectable, secrets)
}

/** What waits for a connection. */
function redactPending({ socket, outputData }: NodeRequest, secrets: Secrets): void {
  if (outputData?.length) redactWritten(outputData, secrets)
  const pending = socket?._pendingData
  if (!socket || !pending) return
  if (typeof pending === 'string') socket._pendingData = withoutSecrets(pending, secrets)
  else redactWritten(pending, secrets)
}

function redactWritten(all: readonly Written[], secrets: Secrets): void {
  for (const written of all) {
    if (typeof written.data === 'string') written.data = withoutSecrets(written.data, secrets)
    if (typeof written.chunk === 'string') written.chunk = withoutSecrets(written.chunk, secrets)
  }
}

function withoutSecrets(text: string, secrets: Secrets): string {
  let clean = text
  for (const name of Object.keys(secrets)) clean = clean.replaceAll(secrets[name] as string, REDACTED)
  return clean
}

function nameOnly(this: object): string {
  return `[${this.constructor.name}]`
}

/** The property of a request of node:http that has its headers: the same for all of them. */
let outHeaders: symbol | undefined

/** By lower-case name: the name as the caller wrote it, and the value. */
function outgoingHeaders(request: NodeRequest): Record<string, [name: string, value: unknown]> | undefined {
  if (outHeaders === undefined || !Object.hasOwn(request, outHeaders)) {
    outHeaders = Object.getOwnPropertySymbols(request).find(({ description }) => description === 'kOutHeaders')
  }
  return outHeaders && Reflect.get(request, outHeaders)
}
