import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { freePort } from './server-process'

const ATTEMPTS = 5

/** A TCP proxy on 127.0.0.1 that can be told to misbehave. It passes everything on until then. */
export interface FaultProxy {
  readonly port: number
  /** Passes on again; what was held back goes first. */
  heal(): Promise<void>
  /** Takes connections and bytes, and passes nothing on, in either direction. */
  stall(): void
  /** Ends all connections, and refuses new ones. */
  refuse(): Promise<void>
  close(): Promise<void>
}

/** @param targetPort where connections go to, at `host` */
export async function startFaultProxy(targetPort: number, host = '127.0.0.1'): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  let stalled = false
  const server = createServer((client) => {
    const upstream = connect(targetPort, host)
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      // The end of one is the end of the other; why it ended is no concern of a proxy.
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

/** Corked, a socket keeps what is piped into it. */
function hold(...sockets: Socket[]): void {
  for (const socket of sockets) socket.cork()
}

/** A port that stays free while the proxy refuses connections, so that it can listen there again. */
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
