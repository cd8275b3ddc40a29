import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { catalogTokens } from '@tokenward/test-support'
import { describe, expect, onTestFinished, test } from 'vitest'
import { authorizedAgent, VERSIONS } from './support'

/** The text that RFC 6455 §1.3 adds to the key of a request. */
const KEY_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A server that opens a WebSocket connection for every token that was not revoked. */
async function startServer(isValid: (token: string) => boolean) {
  const seen: string[] = []
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.on('upgrade', (request, stream) => {
    const token = String(request.headers.authorization).replace('Bearer ', '')
    seen.push(token)
    if (!isValid(token)) {
      stream.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n')
      return
    }
    const key = `${request.headers['sec-websocket-key']}${KEY_SUFFIX}`
    const accept = createHash('sha1').update(key).digest('base64')
    const lines = [
      'HTTP/1.1 101 Switching',
      'connection: Upgrade',
      'upgrade: websocket',
      `sec-websocket-accept: ${accept}`,
    ]
    stream.write(`${lines.join('\r\n')}\r\n\r\n`)
    onTestFinished(() => {
      stream.destroy()
    })
  })
  onTestFinished(() => {
    server.close()
  })
  return { seen, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/orders` }
}

describe.each(VERSIONS)('the WebSocket of undici %s', (_version, undici) => {
  test('opens a connection with a token, and once more with a new token after a 401', async () => {
    const { tokens, provider } = await catalogTokens()
    const revoked = new Set<string>()
    const { seen, url } = await startServer((token) => !revoked.has(token))
    const dispatcher = authorizedAgent(undici, tokens, 'catalog.client', {
      allowedOrigins: [url.replace('ws', 'http')],
    })
    const open = async () => {
      const socket = new undici.WebSocket(url, { dispatcher })
      onTestFinished(() => socket.close())
      await new Promise((resolve, reject) => {
        socket.addEventListener('open', resolve)
        socket.addEventListener('error', (event) => reject(event.error.cause ?? event.error))
      })
      return socket
    }
    await open()
    revoked.add(String(seen[0]))
    expect((await open()).readyState).toBe(1)
    expect(seen).toHaveLength(3)
    expect(seen[2]).not.toBe(seen[0])
    expect(provider.tokenRequests).toHaveLength(2)

    // The server has accepted the token: a rejection later is the first one, so there is no pause.
    for (let count = 0; count < 3; count++) {
      revoked.add(String(seen.at(-1)))
      await open()
    }
    expect(provider.tokenRequests).toHaveLength(5)
  })
})
