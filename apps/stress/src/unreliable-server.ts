import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A token endpoint and an API that fail at times. */
export interface UnreliableServer {
  readonly origin: string
  /** Whether it fails now. */
  fails: boolean
  close(): Promise<void>
}

export async function startUnreliableServer(random: () => number): Promise<UnreliableServer> {
  let issued = 0
  const server = createServer((request, response) => {
    request.resume()
    const fault = unreliable.fails ? random() : 1
    if (request.url === '/token') respondToken(response, fault)
    else respondApi(response, fault)
  })
  function respondToken(response: ServerResponse, fault: number): void {
    if (fault < 0.1) response.destroy()
    else if (fault < 0.2) response.writeHead(503).end()
    else {
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ access_token: `token-${++issued}`, token_type: 'Bearer', expires_in: 1 }))
    }
  }
  function respondApi(response: ServerResponse, fault: number): void {
    if (fault < 0.02) response.destroy()
    else if (fault < 0.04) response.writeHead(401).end('x'.repeat(100_000))
    // A body that never ends.
    else if (fault < 0.05) response.writeHead(401).write('x')
    else response.end('{}')
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const unreliable: UnreliableServer = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fails: false,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  return unreliable
}
