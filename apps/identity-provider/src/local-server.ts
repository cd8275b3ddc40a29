import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { PeerCertificate, TLSSocket } from 'node:tls'

/** Responds to requests. When it throws, the response is a 500 with the error's message. */
type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

/** An HTTP server on 127.0.0.1. */
export interface LocalServer {
  readonly origin: string
  /** Sets what responds to requests. Until then each response is a 503. */
  serve(listener: Listener): void
  /** How many connections clients have opened so far. */
  readonly connections: number
  close(): Promise<void>
}

/** A certificate and its key, in PEM. */
export interface ServerCertificate {
  readonly cert: string
  readonly key: string
}

/**
 * Starts a server. With a certificate it serves HTTPS and requests certificates of its clients.
 *
 * @param port 0: any free port
 */
export async function startLocalServer(port = 0, certificate?: ServerCertificate): Promise<LocalServer> {
  let listener: Listener = (_request, response) => response.writeHead(503).end()
  let connections = 0
  const serve: RequestListener = async (request, response) => {
    try {
      await listener(request, response)
    } catch (error) {
      // An unhandled rejection would end the process, and the test that causes it could not report it.
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error))
    }
  }
  const server = certificate
    ? createTlsServer({ ...certificate, requestCert: true, rejectUnauthorized: false }, serve)
    : createServer(serve)
  server.on('connection', () => connections++)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const { port: actual } = server.address() as AddressInfo
  return {
    origin: `${certificate ? 'https' : 'http'}://127.0.0.1:${actual}`,
    serve(next) {
      listener = next
    },
    get connections() {
      return connections
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Starts several servers. When one fails to start, the others are closed. */
export async function startLocalServers<
  Wanted extends Record<string, { port?: number | undefined; certificate?: ServerCertificate }>,
>(wanted: Wanted): Promise<{ readonly [Name in keyof Wanted]: LocalServer }> {
  const starts = Object.values(wanted).map(({ port, certificate }) => startLocalServer(port, certificate))
  const results = await Promise.allSettled(starts)
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) {
    await Promise.all(servers.map((server) => server.close()))
    throw failed.reason
  }
  const byName = Object.fromEntries(Object.keys(wanted).map((name, index) => [name, servers[index]]))
  return byName as { readonly [Name in keyof Wanted]: LocalServer }
}

/** Reads the body of a request. When the client disconnects, it returns the part that was received. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk)
  } catch {}
  return Buffer.concat(chunks)
}

/** Returns the request with a body that can be read again, so that oidc-provider parses it itself. */
export function withBody(request: IncomingMessage, body: Buffer): IncomingMessage {
  const { headers, rawHeaders, method, url, socket, httpVersion } = request
  const again = Object.assign(Readable.from([body], { objectMode: false }), { httpVersion, socket })
  return Object.assign(again, { headers, rawHeaders, method, url }) as unknown as IncomingMessage
}

/** The certificate of the client of an mTLS connection. */
export function peerCertificate({ socket }: IncomingMessage): PeerCertificate | undefined {
  const certificate = (socket as Partial<TLSSocket>).getPeerCertificate?.()
  return certificate?.raw ? certificate : undefined
}
