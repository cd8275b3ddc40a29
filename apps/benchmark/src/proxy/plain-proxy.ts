import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent, type Dispatcher } from 'undici-7'

/*
 * A proxy that only forwards: the same HTTP server and the same HTTP client as `tokenward proxy`, without tokens and checks. The
 * caller sends the Authorization header.
 */

const [to = ''] = process.argv.slice(2)
const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
const ofConnection = new Set(['connection', 'host', 'keep-alive', 'transfer-encoding'])

function forwarded({ rawHeaders }: IncomingMessage): string[] {
  return rawHeaders.filter((_text, index) => !ofConnection.has(String(rawHeaders[index - (index % 2)]).toLowerCase()))
}

const server = createServer((request, response) => {
  const hasBody = request.headers['content-length'] !== undefined
  const options = {
    origin: to,
    path: String(request.url),
    method: request.method as Dispatcher.HttpMethod,
    headers: forwarded(request),
    body: hasBody ? request : null,
  }
  agent
    .stream(options, ({ statusCode, headers }) => {
      const { connection: _, 'keep-alive': __, ...rest } = headers
      return response.writeHead(statusCode, rest)
    })
    .catch(() => response.destroy())
})
server.listen(0, '127.0.0.1', () => {
  console.log(`forwards http://127.0.0.1:${(server.address() as AddressInfo).port} to ${to}`)
})
