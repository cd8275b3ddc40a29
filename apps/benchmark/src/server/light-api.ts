import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/**
 * An API that costs as little as possible, so that the difference between two clients shows. It asks `verify` about each
 * `Authorization` header once, and remembers the result.
 */
export async function startLightApi(verify: (authorization: string) => Promise<boolean>) {
  const verdicts = new Map<string, boolean>()
  const body = JSON.stringify({ ok: true })
  const headers = { 'content-type': 'application/json', 'content-length': body.length }
  const server = createServer(async (request, response) => {
    const authorization = request.headers.authorization ?? ''
    let isGood = verdicts.get(authorization)
    if (isGood === undefined) {
      isGood = await verify(authorization)
      verdicts.set(authorization, isGood)
    }
    response.writeHead(isGood ? 200 : 401, headers).end(body)
  })
  // Connections stay open between two rounds.
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    baseURL: `http://127.0.0.1:${port}/`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
