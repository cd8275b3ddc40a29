import { type ServerProcess, startRedisProcess } from '@tokenward/local-servers'
import { Redis } from 'ioredis'

const LOOKS_EVERY_MS = 200

/** A Redis process of the live view's own, which can be stopped, and what it holds. */
export interface WatchedRedis {
  readonly url: string
  readonly isUp: boolean
  /** How long Redis keeps the token. Undefined: it has none. */
  readonly tokenMs: number | undefined
  /** How long the lease is held. Undefined: nobody holds it. */
  readonly leaseMs: number | undefined
  /** Looks at this token now, and from now on. */
  watch(key: string): void
  /** Lets the token expire earlier, because the workers' clocks were moved ahead. */
  skip(ms: number): Promise<void>
  /** Ends the process. What it held is lost. */
  down(): Promise<void>
  /** Starts a process without data on the same port. */
  up(): Promise<void>
  stop(): Promise<void>
}

/** @throws Error when there is no redis-server */
export async function startWatchedRedis(): Promise<WatchedRedis> {
  let server: ServerProcess | undefined = await startRedisProcess()
  const { port } = server
  const client = new Redis(port, '127.0.0.1', {
    retryStrategy: () => LOOKS_EVERY_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  })
  client.on('error', () => undefined)
  let starting: Promise<ServerProcess> | undefined
  let key: string | undefined
  let times: { tokenMs?: number | undefined; leaseMs?: number | undefined } = {}
  const look = async () => {
    if (key === undefined) return
    const [tokenMs, leaseMs] = await Promise.all([client.pttl(valueKey(key)), client.pttl(`${valueKey(key)}:lease`)])
    times = { tokenMs: positive(tokenMs), leaseMs: positive(leaseMs) }
  }
  const refresh = () => {
    look().catch(() => {
      times = {}
    })
  }
  const timer = setInterval(refresh, LOOKS_EVERY_MS)
  const down = async () => {
    const running = server
    server = undefined
    times = {}
    await running?.stop()
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    get isUp() {
      return server !== undefined
    },
    get tokenMs() {
      return times.tokenMs
    },
    get leaseMs() {
      return times.leaseMs
    },
    watch(next) {
      key = next
      refresh()
    },
    async skip(ms) {
      if (key === undefined || !server) return
      const tokenMs = await client.pttl(valueKey(key))
      if (tokenMs > 0) await client.pexpire(valueKey(key), Math.max(1, Math.round(tokenMs - ms)))
    },
    down,
    async up() {
      // One start at a time: a second process would not get the port.
      starting ??= server ? undefined : startRedisProcess({ port })
      server = (await starting) ?? server
      starting = undefined
    },
    async stop() {
      clearInterval(timer)
      client.disconnect()
      await down()
    },
  }
}

/** Where the store keeps a token. */
const valueKey = (key: string) => `tokenward:{${key}}`

/** Redis returns a negative number for a key that does not exist. */
function positive(ms: number): number | undefined {
  return ms > 0 ? ms : undefined
}
