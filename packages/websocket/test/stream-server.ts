import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { IdentityProvider } from '@tokenward/identity-provider'
import { decodeJwt } from 'jose'
import { allowInsecureRequests, validateJwtAccessToken } from 'oauth4webapi'
import { onTestFinished } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

/** A request for a connection that reached the server. */
interface SeenUpgrade {
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly token: string | undefined
  accepted: boolean
}

/** A WebSocket server that demands a token of the authorization server, with a proof for a DPoP token. It echoes messages. */
export interface StreamServer {
  /** `ws://127.0.0.1:PORT` */
  readonly origin: string
  readonly url: string
  readonly upgrades: SeenUpgrade[]
  readonly sockets: Set<WebSocket>
  /** The messages that it has received. */
  readonly messages: string[]
  /** The status of the response to each request, in place of a connection. */
  refusal: { readonly status: number; readonly headers?: Readonly<Record<string, string>> } | undefined
  /** A DPoP nonce that it demands. */
  nonce: string | undefined
  /** Whether it never responds. */
  hangs: boolean
}

/** Starts the server. It ends with the test. */
export async function startStreamServer(provider: IdentityProvider): Promise<StreamServer> {
  const as = { issuer: provider.issuer, jwks_uri: `${provider.issuer}/jwks` }

  async function isValid(request: IncomingMessage): Promise<boolean> {
    const headers = Object.entries(request.headers).map(([name, value]): [string, string] => [name, String(value)])
    const url = new URL(String(request.url), server.origin.replace('ws', 'http'))
    try {
      const options = { [allowInsecureRequests]: true }
      const { jti } = await validateJwtAccessToken(as, new Request(url, { headers }), 'urn:catalog', options)
      return provider.issuedToken(String(jti))?.revokedAt === undefined
    } catch {
      return false
    }
  }

  const http = createServer().listen(0, '127.0.0.1')
  await once(http, 'listening')
  const webSockets = new WebSocketServer({ noServer: true })
  webSockets.on('connection', (socket) => {
    server.sockets.add(socket)
    socket.send('welcome')
    socket.on('message', (data) => {
      server.messages.push(String(data))
      socket.send(`echo ${data}`)
    })
    socket.on('close', () => server.sockets.delete(socket))
  })
  http.on('upgrade', async (request, stream, head) => {
    const [, token] = /^(?:Bearer|DPoP) (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    const seen = { url: String(request.url), headers: request.headers, token, accepted: false }
    server.upgrades.push(seen)
    if (server.hangs) return
    if (server.refusal) return refuse(stream, server.refusal.status, server.refusal.headers)
    const { nonce } = server
    if (nonce !== undefined && decodeJwt(String(request.headers.dpop)).nonce !== nonce) {
      return refuse(stream, 401, { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': nonce })
    }
    seen.accepted = await isValid(request)
    if (!seen.accepted) return refuse(stream, 401, { 'www-authenticate': 'Bearer error="invalid_token"' })
    webSockets.handleUpgrade(request, stream, head, (socket) => webSockets.emit('connection', socket, request))
  })
  onTestFinished(() => {
    for (const socket of server.sockets) socket.terminate()
    http.closeAllConnections()
    http.close()
  })
  const origin = `ws://127.0.0.1:${(http.address() as AddressInfo).port}`
  const server: StreamServer = {
    origin,
    url: `${origin}/orders`,
    upgrades: [],
    sockets: new Set(),
    messages: [],
    refusal: undefined,
    nonce: undefined,
    hangs: false,
  }
  return server
}

function refuse(stream: Duplex, status: number, headers: Readonly<Record<string, string>> = {}): void {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  stream.end([`HTTP/1.1 ${status} Refused`, 'content-length: 0', 'connection: close', ...lines, '', ''].join('\r\n'))
}
