import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createTokenManager } from '@tokenward/core'
import { onTestFinished } from 'vitest'

/** An HTTP server that responds as the test says, and ends with the test. @returns its origin */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
}

/** A manager whose token endpoint is a stand-in, for tests whose subject is what reaches the APIs. It ends with the test. */
export function tokensOf() {
  let requests = 0
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's' } },
    requester: { request: async () => ({ access_token: `t${++requests}`, token_type: 'Bearer', expires_in: 60 }) },
  })
  onTestFinished(() => tokens.close())
  return tokens
}
