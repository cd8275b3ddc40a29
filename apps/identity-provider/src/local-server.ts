import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { PeerCertificate, TLSSocket } from 'node:tls'

/** An http server on this machine's loopback address. */
export interface LocalServer {
  readonly origin: string
  /** Serves with `listener` from now on. */
  serve(listener: RequestListener): void
  /** How many connections were made to it. */
  readonly connections: number
  close(): Promise<void>
}

/** A certificate and its key, in PEM. */
export interface ServerCertificate {
  readonly cert: string
  readonly key: string
}

/** With a certificate it serves https, and asks its clients for theirs. */
export async function startLocalServer(port = 0, certificate?: ServerCertificate): Promise<LocalServer> {
  let listener: RequestListener = (_request, response) => response.writeHead(503).end()
  let connections = 0
  const serve: RequestListener = (request, response) => listener(request, response)
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

/** The whole body; what there is of it when the client goes away in the middle. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk)
  } catch {}
  return Buffer.concat(chunks)
}

/** The certificate that the client of an mTLS connection has shown. */
export function peerCertificate({ socket }: IncomingMessage): PeerCertificate | undefined {
  const certificate = (socket as Partial<TLSSocket>).getPeerCertificate?.()
  return certificate?.raw ? certificate : undefined
}
