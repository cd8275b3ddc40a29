import {
  type ClientRequest,
  Agent as HttpAgent,
  type IncomingMessage,
  request as requestHttp,
  STATUS_CODES,
} from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'
import type { Duplex } from 'node:stream'
import type { RequestAuthorization, RequestAuthorizer } from '@tokenward/core'
import { pairsOf, type TlsSettings } from '../definition/transport'
import { type Failure, failureOf, failureResponse } from './failure'
import { forwardedRequestHeaders, forwardedResponseHeaders } from './headers'

/** What the API responded to a request to upgrade. */
interface Reply {
  readonly response: IncomingMessage
  /** Of an API that agreed: the connection, and what came on it already. */
  readonly upgraded?: { readonly socket: Duplex; readonly head: Buffer }
}

/** Forwards WebSocket connections (RFC 6455 §4): the token goes into the request that opens one. */
export class Upgrader {
  readonly #authorizer: RequestAuthorizer
  readonly #tls: TlsSettings
  readonly #usesEnvironmentProxy: boolean

  constructor(authorizer: RequestAuthorizer, tls: TlsSettings, usesEnvironmentProxy: boolean) {
    this.#authorizer = authorizer
    this.#tls = tls
    this.#usesEnvironmentProxy = usesEnvironmentProxy
  }

  async forward(request: IncomingMessage, caller: Duplex, head: Buffer, url: URL): Promise<void> {
    const controller = new AbortController()
    caller.once('close', () => controller.abort())
    try {
      const { response, upgraded } = await this.#open(request, url, controller.signal)
      if (!upgraded) return relay(response, caller)
      caller.write(headOf(response, ['Connection: Upgrade', `Upgrade: ${response.headers.upgrade ?? 'websocket'}`]))
      if (upgraded.head.length > 0) caller.write(upgraded.head)
      if (head.length > 0) upgraded.socket.write(head)
      join(caller, upgraded.socket)
    } catch (error) {
      if (!controller.signal.aborted) refuseUpgrade(failureOf(error), caller)
    }
  }

  /** Opens the connection, once more with a new token after a 401. */
  async #open(request: IncomingMessage, url: URL, signal: AbortSignal): Promise<Reply> {
    const headers = () => new Headers(pairsOf(forwardedRequestHeaders(request.rawHeaders)))
    let authorization = await this.#authorizer.authorize({ method: 'GET', url: url.href, headers }, { signal })
    for (;;) {
      const reply = await this.#send(request, authorization, signal)
      if (reply.upgraded) {
        authorization.isAnswer(200)
        return reply
      }
      const { statusCode: status = 0, headers: received } = reply.response
      const get = (name: string) => [received[name] ?? []].flat()[0] ?? null
      const discard = () => void reply.response.destroy()
      const again = await authorization.next({ status, headers: { get }, discard }, true)
      if (!again) return reply
      authorization = again
    }
  }

  #send(request: IncomingMessage, authorization: RequestAuthorization, signal: AbortSignal): Promise<Reply> {
    const { protocol, host } = new URL(authorization.url)
    const headers = [
      ...['host', host],
      ...forwardedRequestHeaders(request.rawHeaders),
      ...['connection', 'Upgrade', 'upgrade', 'websocket'],
      ...Object.entries(authorization.headers).flat(),
    ]
    const options = { method: 'GET', headers, signal }
    // An agent of its own, because the connection belongs to this caller alone.
    const agentOptions = this.#usesEnvironmentProxy ? { proxyEnv: process.env } : {}
    const sent: ClientRequest =
      protocol === 'https:'
        ? requestHttps(authorization.url, { ...options, agent: new HttpsAgent({ ...agentOptions, ...this.#tls }) })
        : requestHttp(authorization.url, { ...options, agent: new HttpAgent(agentOptions) })
    return new Promise((resolve, reject) => {
      sent.on('upgrade', (response, socket, head) => resolve({ response, upgraded: { socket, head } }))
      sent.on('response', (response) => resolve({ response }))
      sent.on('error', reject)
      sent.end()
    })
  }
}

/** Passes bytes both ways until one side has ended. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
    from.pipe(to)
  }
}

/** The API did not agree to the upgrade: the caller gets its response, and the connection ends. */
function relay(response: IncomingMessage, caller: Duplex): void {
  caller.write(headOf(response, ['Connection: close']))
  response.on('error', () => caller.destroy())
  response.pipe(caller)
}

export function refuseUpgrade(failure: Failure, caller: Duplex): void {
  const { headers, body } = failureResponse(failure)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  caller.end([statusLine(failure.status), ...lines, 'connection: close', '', body].join('\r\n'))
}

function headOf({ statusCode = 0, statusMessage, headers }: IncomingMessage, further: readonly string[]): string {
  const lines = Object.entries(forwardedResponseHeaders(headers)).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}`),
  )
  return `${[statusLine(statusCode, statusMessage), ...lines, ...further].join('\r\n')}\r\n\r\n`
}

function statusLine(status: number, message = STATUS_CODES[status] ?? ''): string {
  return `HTTP/1.1 ${status} ${message}`
}
