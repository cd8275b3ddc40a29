import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type { AccessToken } from '@tokenward/core'
import { catalogTokens } from '@tokenward/test-support'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { decodeJwt } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

// The same copy that graphql-ws uses: Vite would load another one.
const { buildSchema } = createRequire(import.meta.url)('graphql') as typeof import('graphql')

test('the recipe for graphql-ws: each connection has the current token, and a rejected one is replaced', async () => {
  const { provider, tokens } = await catalogTokens()
  const http = createServer().listen(0, '127.0.0.1')
  await once(http, 'listening')
  const seen: string[] = []
  const disposable = useServer(
    {
      schema: buildSchema('type Query { hello: String }'),
      roots: { query: { hello: () => 'world' } },
      onConnect({ connectionParams }) {
        const token = String(connectionParams?.authorization).replace('Bearer ', '')
        seen.push(token)
        return provider.issuedToken(String(decodeJwt(token).jti))?.revokedAt === undefined
      },
    },
    new WebSocketServer({ server: http }),
  )
  onTestFinished(async () => {
    await disposable.dispose()
    http.close()
  })

  let presented: AccessToken | undefined
  const client = createClient({
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    webSocketImpl: WebSocket,
    lazyCloseTimeout: 0,
    async connectionParams() {
      presented = await tokens.getAccessToken('catalog.client')
      return { authorization: `${presented.type} ${presented.value}` }
    },
    on: {
      closed(event) {
        // 4403: the server refuses the token.
        const { code } = event as { code?: number }
        if (code === 4403 && presented) void tokens.rejectAccessToken('catalog.client', presented)
      },
    },
  })
  onTestFinished(() => client.dispose())
  const ask = async () => {
    for await (const { data } of client.iterate({ query: '{ hello }' })) return data
  }
  expect(await ask()).toEqual({ hello: 'world' })
  expect(await ask()).toEqual({ hello: 'world' })
  provider.revokeIssued()
  expect(await ask()).toEqual({ hello: 'world' })
  expect(new Set(seen).size).toBe(2)
  expect(provider.tokenRequests).toHaveLength(2)
})
