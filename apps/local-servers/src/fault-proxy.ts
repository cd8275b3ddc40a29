import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './server-process'

const ATTEMPTS = 5

/** A TCP proxy on 127.0.0.1 that can stall or refuse connections. Until then it forwards everything. */
export interface FaultProxy {
  readonly port: number
  /** Forwards again, the bytes that it held back first. */
  heal(): Promise<void>
  /** Accepts connections and bytes, but forwards nothing, in either direction. */
  stall(): void
  /** Ends all connections and refuses new ones. */
  refuse(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts a proxy.
 *
 * @param targetPort the port of the server that it forwards to
 * @param host the host of that server
 * @param onBytes called for all bytes that it receives, with the socket that they came from
 */
export async function startFaultProxy(
  targetPort: number,
  host = '127.0.0.1',
  onBytes?: (bytes: Buffer, from: Socket) => void,
): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  let stalled = false
  const server = createServer((client) => {
    const upstream = connect(targetPort, host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      if (onBytes) socket.on('data', (bytes: Buffer) => onBytes(bytes, socket))
      // When one socket closes, the other one has to close too. The reason does not matter.
      socket.on('error', () => undefined)
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.pipe(upstream)
    upstream.pipe(client)
    if (stalled) hold(client, upstream)
  })
  const port = await listenOnFreePort(server)
  const dropAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const refuse = async () => {
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    dropAll()
    await closed
  }
  return {
    port,
    refuse,
    close: refuse,
    stall() {
      stalled = true
      hold(...sockets)
    },
    async heal() {
      stalled = false
      for (const socket of sockets) socket.uncork()
      for (const socket of sockets) socket.resume()
      if (!server.listening) await listen(server, port)
    },
  }
}

/** A corked socket buffers what is piped into it. */
function hold(...sockets: Socket[]): void {
  for (const socket of sockets) socket.cork()
}

/** Uses `freePort`, because such a port stays free while the proxy refuses connections. It listens there again later. */
async function listenOnFreePort(server: Server): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    try {
      await listen(server, port)
      return port
    } catch (error) {
      if (attempt === ATTEMPTS) throw error
    }
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}
