import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An http server on this machine's loopback address. */
export interface LocalServer {
  readonly origin: string
  /** Serves with `listener` from now on. */
  serve(listener: RequestListener): void
  /** How many connections were made to it. */
  readonly connections: number
  close(): Promise<void>
}

export async function startLocalServer(port = 0): Promise<LocalServer> {
  let listener: RequestListener = (_request, response) => response.writeHead(503).end()
  let connections = 0
  const server = createServer((request, response) => listener(request, response))
  server.on('connection', () => connections++)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const { port: actual } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${actual}`,
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
