import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createRequestAuthorizer, type TokenManager, TokenRequestError } from '@tokenward/core'
import { UsageError } from '../command-line/usage-error'
import type { TlsSettings } from '../definition/transport'
import { type Failure, respondWith } from './failure'
import { Forwarder } from './forwarder'
import type { ProxyOptions } from './proxy-options'
import { refusalOf } from './refusal'
import { Target } from './target'
import { refuseUpgrade, Upgrader } from './upgrader'

/** Responds whether a token can be had. No other path of the API is hidden. */
const READY_PATH = '/.tokenward/ready'
/** Callers keep connections open, and nobody else can use up this server's. */
const KEEP_ALIVE_MS = 75_000
const MAX_SHUTDOWN_MS = 10_000

export interface ProxyContext {
  readonly tokens: TokenManager
  readonly client: string
  readonly tls: TlsSettings
  readonly usesEnvironmentProxy: boolean
}

/** A proxy that runs. */
export interface RunningProxy {
  /** Where it listens. */
  readonly origin: string
  /** Lets requests under way end, for ten seconds at most. */
  close(): Promise<void>
}

/**
 * Starts a proxy that forwards requests to one API, with access tokens.
 *
 * @throws ConfigurationError when no token may go to the API
 * @throws UsageError when the port cannot be used
 */
export async function startProxy(options: ProxyOptions, context: ProxyContext): Promise<RunningProxy> {
  const { tokens, client, tls, usesEnvironmentProxy } = context
  const target = new Target(options.to)
  const authorized = { baseURL: target.origin, stepUp: { scopes: options.stepUpScopes } }
  const authorizer = createRequestAuthorizer(tokens, client, authorized)
  const upgrader = new Upgrader(authorizer, tls, usesEnvironmentProxy)
  const forwarder = new Forwarder({ ...context, target, authorized })

  /** The URL to forward a request to, or why it is not forwarded. */
  function route(request: IncomingMessage): { url: URL } | { failure: Failure } {
    const refused = refusalOf(request, options.allowedHosts)
    if (refused) return { failure: { ...refused, at: 'request', error: 'refused' } }
    const url = target.resolve(request.url ?? '/')
    if (url) return { url }
    return {
      failure: { status: 400, at: 'request', error: 'refused', message: `the path leads out of ${target.href}` },
    }
  }

  let isClosing = false
  const server = createServer(
    {
      keepAliveTimeout: KEEP_ALIVE_MS,
      // An upload may take as long as it takes.
      requestTimeout: 0,
      // Some programs offer to upgrade each connection to HTTP/2. That is no WebSocket, so nothing comes of it.
      ...{ shouldUpgradeCallback: isWebSocket },
    },
    (request, response) => {
      // The connection stays open for further requests, which must not keep a proxy from ending.
      response.once('close', () => isClosing && setImmediate(() => server.closeIdleConnections()))
      const routed = route(request)
      if ('failure' in routed) return respondWith(routed.failure, response)
      if (request.url === READY_PATH) {
        return void readiness(tokens, client).then((failure) =>
          failure ? respondWith(failure, response) : response.writeHead(204).end(),
        )
      }
      void forwarder.forward(request, response, routed.url)
    },
  )
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => {})
    const routed = route(request)
    if ('failure' in routed) return refuseUpgrade(routed.failure, socket)
    if (isWebSocket(request)) return void upgrader.forward(request, socket, head, routed.url)
    const message = 'only connections to WebSocket can be upgraded: use an HTTP/1.1 client'
    refuseUpgrade({ status: 400, at: 'request', error: 'refused', message }, socket)
  })
  const open = new Set<{ destroy(): void }>()
  server.on('connection', (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })

  try {
    await listen(server, options)
  } catch (error) {
    await forwarder.close()
    throw error
  }
  return {
    origin: originOf(server, options.host),
    async close() {
      isClosing = true
      const closed = new Promise((resolve) => server.close(resolve))
      const timer = setTimeout(() => {
        for (const socket of open) socket.destroy()
      }, MAX_SHUTDOWN_MS)
      await closed
      clearTimeout(timer)
      await forwarder.close()
    },
  }
}

function isWebSocket({ method, headers }: IncomingMessage): boolean {
  return method === 'GET' && headers.upgrade?.toLowerCase() === 'websocket'
}

async function readiness(tokens: TokenManager, client: string): Promise<Failure | undefined> {
  try {
    await tokens.getAccessToken(client)
    return undefined
  } catch (error) {
    const { message, error: code } = error as TokenRequestError
    return { status: 503, at: 'token', error: error instanceof TokenRequestError ? code : 'unknown', message }
  }
}

async function listen(server: Server, { host, port }: ProxyOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
    server.listen(port, host, resolve)
  })
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  if (error.code === 'EADDRINUSE') return new UsageError(`port ${port} is in use: choose another one with --port`)
  if (error.code === 'EACCES') return new UsageError(`port ${port} needs more rights: choose another one with --port`)
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new UsageError(`--host ${host} is no address of this machine`)
  return error
}

function originOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}
