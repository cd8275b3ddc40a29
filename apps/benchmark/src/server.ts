// The API of the benchmark, a process of its own so that its work is not counted with the clients'.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const server = createServer((request, response) => {
  const authorized = request.headers.authorization === 'Bearer a-token-of-the-benchmark'
  response.writeHead(authorized ? 200 : 401, { 'content-type': 'application/json' }).end('{"ok":true}')
})
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
process.on('disconnect', () => process.exit())
