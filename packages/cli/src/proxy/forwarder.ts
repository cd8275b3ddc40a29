import type { IncomingMessage, ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import type { TokenManager } from '@tokenward/core'
import { type TokenInterceptorOptions, tokenInterceptor } from '@tokenward/undici'
import { Agent, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import type { TlsSettings } from '../definition/transport'
import { failureOf, respondWith } from './failure'
import { forwardedRequestHeaders, forwardedResponseHeaders } from './headers'
import type { Target } from './target'

/** A longer body, or one of unknown length, is forwarded as it comes, and cannot be sent a second time. */
const LARGEST_KEPT_BODY = 1024 * 1024

export interface ForwarderOptions {
  readonly tokens: TokenManager
  readonly client: string
  readonly target: Target
  readonly authorized: TokenInterceptorOptions
  readonly tls: TlsSettings
  /** Whether the proxies of the environment are used. */
  readonly usesEnvironmentProxy: boolean
}

/** Sends requests on to the API, with tokens. */
export class Forwarder {
  readonly #target: Target
  readonly #agent: Agent | EnvHttpProxyAgent
  readonly #dispatcher: Dispatcher

  constructor({ tokens, client, target, authorized, tls, usesEnvironmentProxy }: ForwarderOptions) {
    // The caller decides how long it waits: a stream of events may be silent for hours.
    const options = { allowH2: true, headersTimeout: 0, bodyTimeout: 0, connect: tls }
    this.#target = target
    this.#agent = usesEnvironmentProxy ? new EnvHttpProxyAgent({ ...options, requestTls: tls }) : new Agent(options)
    // Its types are those of undici 8, which does not run on Node 20.
    const interceptor = tokenInterceptor(tokens, client, authorized) as unknown
    this.#dispatcher = this.#agent.compose(interceptor as Dispatcher.DispatcherComposeInterceptor)
  }

  async forward(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const controller = new AbortController()
    response.once('close', () => response.writableFinished || controller.abort())
    try {
      const length = lengthOf(request)
      const isKept = length !== undefined && length <= LARGEST_KEPT_BODY
      const body = length === 0 ? null : isKept ? await buffer(request) : request
      const options = {
        origin: url.origin,
        path: url.pathname + url.search,
        method: request.method as Dispatcher.HttpMethod,
        headers: forwardedRequestHeaders(request.rawHeaders, isKept ? 'content-length' : ''),
        body,
        signal: controller.signal,
      }
      await this.#dispatcher.stream(options, ({ statusCode, headers }) => {
        const forwarded = forwardedResponseHeaders(headers)
        if (typeof forwarded.location === 'string') forwarded.location = this.#target.location(forwarded.location, url)
        return response.writeHead(statusCode, forwarded)
      })
    } catch (error) {
      if (!controller.signal.aborted) respondWith(failureOf(error), response)
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }
}

/** The length of a request's body, in bytes. Undefined when it is not known. */
function lengthOf({ headers }: IncomingMessage): number | undefined {
  if (headers['transfer-encoding'] !== undefined) return undefined
  return Number(headers['content-length'] ?? 0)
}
