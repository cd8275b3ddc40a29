import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { PeerCertificate, TLSSocket } from 'node:tls'

/** Answers requests; where it fails, the answer is a 500 that says why. */
type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

/** An http server on this machine's loopback address. */
export interface LocalServer {
  readonly origin: string
  /** Serves with `listener` from now on. */
  serve(listener: Listener): void
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
  let listener: Listener = (_request, response) => response.writeHead(503).end()
  let connections = 0
  const serve: RequestListener = async (request, response) => {
    try {
      await listener(request, response)
    } catch (error) {
      // An unhandled rejection would end the process, and with it the test that shows what is wrong.
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

/** Starts all of them, or none: a port that is taken leaves nothing listening. */
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

/** The whole body; what there is of it when the client goes away in the middle. */
export async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk)
  } catch {}
  return Buffer.concat(chunks)
}

/** The request with its body to be read once more: what reads it is oidc-provider's own code, as without us. */
export function withBody(request: IncomingMessage, body: Buffer): IncomingMessage {
  const { headers, rawHeaders, method, url, socket, httpVersion } = request
  const again = Object.assign(Readable.from([body], { objectMode: false }), { httpVersion, socket })
  return Object.assign(again, { headers, rawHeaders, method, url }) as unknown as IncomingMessage
}

/** The certificate that the client of an mTLS connection has shown. */
export function peerCertificate({ socket }: IncomingMessage): PeerCertificate | undefined {
  const certificate = (socket as Partial<TLSSocket>).getPeerCertificate?.()
  return certificate?.raw ? certificate : undefined
}
