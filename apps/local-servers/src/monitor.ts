import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { connect as connectByTls } from 'node:tls'
import type { TestRedis } from './redis'

/** A command that Redis ran. */
export interface SeenCommand {
  /** The name of the command, in lower case. */
  readonly name: string
  /** The command with its arguments, and in brackets its source: an address, or `lua` for a command in a script. */
  readonly line: string
}

/**
 * Returns every command that Redis runs during `body`, those in scripts included. It uses MONITOR over a plain socket, because
 * ioredis 6 can mistake a line of MONITOR for the reply to one of its own commands.
 */
export async function commandsDuring(redis: TestRedis, body: () => Promise<void>): Promise<SeenCommand[]> {
  const commands: SeenCommand[] = []
  const end = randomUUID()
  const url = new URL(redis.url)
  const socket = await open(url)
  try {
    const greeting = [...login(url), 'MONITOR']
    let replies = 0
    let onProgress = () => {}
    createInterface(socket).on('line', (line) => {
      if (line === '+OK') replies++
      const command = parse(line)
      if (command) commands.push(command)
      onProgress()
    })
    const reached = (what: string, condition: () => boolean) =>
      new Promise<void>((resolve, reject) => {
        const fail = () => reject(new Error(`the MONITOR connection ended before ${what}`))
        socket.once('close', fail)
        onProgress = () => condition() && resolve()
        onProgress()
      })
    const monitoring = reached('Redis confirmed it', () => replies === greeting.length)
    socket.write(greeting.map((command) => `${command}\r\n`).join(''))
    await monitoring
    await body()
    // MONITOR prints a command after the reply to it was sent, so some lines may still follow.
    await redis.connect().echo(end)
    await reached('the last command', () => commands.some(({ line }) => line.includes(end)))
    return commands
  } finally {
    socket.destroy()
  }
}

async function open({ protocol, hostname, port }: URL): Promise<Socket> {
  const address = { host: hostname, port: Number(port || 6379) }
  const socket = protocol === 'rediss:' ? connectByTls(address) : connect(address)
  await once(socket, protocol === 'rediss:' ? 'secureConnect' : 'connect')
  // A later error closes the connection, and the close event is handled above.
  socket.on('error', () => undefined)
  return socket
}

function login({ username, password, pathname }: URL): string[] {
  const words = [username, password]
    .filter((word) => word !== '')
    .map((word) => JSON.stringify(decodeURIComponent(word)))
  const database = pathname.slice(1)
  return [...(words.length > 0 ? [`AUTH ${words.join(' ')}`] : []), ...(database ? [`SELECT ${database}`] : [])]
}

/** Parses a line such as `+1700000000.123456 [0 127.0.0.1:50000] "set" "key" "value"`. Undefined for any other line. */
function parse(line: string): SeenCommand | undefined {
  const [, source, quoted] = /^\+\d+\.\d+ \[\d+ (\S+)\] (.*)$/.exec(line) ?? []
  if (source === undefined || quoted === undefined) return undefined
  const words = [...quoted.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => unescaped(word))
  return { name: String(words[0]).toLowerCase(), line: `${words.join(' ')} [${source}]` }
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', a: '\u0007', b: '\b' }

/** Redis writes bytes that are not printable ASCII as `\xHH`. */
function unescaped(word: string): string {
  const bytes = word.replace(/\\(?:x([0-9a-f]{2})|(.))/g, (_, hex?: string, character = '') =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPES[character] ?? character),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}
