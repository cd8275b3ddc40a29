import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { redisBinary } from './redis-binary'

/** A redis-server that this process started. */
export interface RedisProcess {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly pid: number
  /** `SIGSTOP`, `SIGCONT`, `SIGKILL`… */
  signal(name: NodeJS.Signals): void
  /** Kills it and removes its files. */
  stop(): Promise<void>
}

/** How to start one. */
export interface RedisProcessOptions {
  /** A fixed port: to start one again where another was. Default: a free one. */
  port?: number
  /** Command line arguments beside port and address, given the folder that it runs in. */
  args?: (port: number) => Promise<readonly string[]> | readonly string[]
  /** The contents of a configuration file, which Sentinel needs to have. */
  config?: string
}

// What starts the server waits for the end of its own input: when this process dies, however, the server dies too.
const keeper = '"$0" "$@" >/dev/null 2>&1 & p=$!; echo $p; cat >/dev/null; kill -9 $p 2>/dev/null; wait $p 2>/dev/null'

/**
 * Starts a redis-server that keeps nothing on disk, and waits until it answers.
 *
 * @throws Error when there is no redis-server, or it does not answer.
 */
export async function startRedisProcess(options: RedisProcessOptions = {}): Promise<RedisProcess> {
  const binary = await redisBinary()
  if (!binary) throw new Error('no redis-server')
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const folder = await mkdtemp(join(tmpdir(), 'tokenward-redis-'))
    const config = join(folder, 'redis.conf')
    await writeFile(config, options.config ?? '')
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder]
    const args = [config, ...own, '--save', '', '--appendonly', 'no', ...((await options.args?.(port)) ?? [])]
    const child = spawn('sh', ['-c', keeper, binary.path, ...args], {
      env: binary.env,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [line] = await once(createInterface(child.stdout), 'line')
    const pid = Number(line)
    const stop = async () => {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
      await rm(folder, { recursive: true, force: true })
    }
    // Between being found free and being used, a port may be taken; then the process that answers is another.
    if (await answers(port, pid)) {
      return { host: '127.0.0.1', port, pid, stop, signal: (name) => process.kill(pid, name) }
    }
    await stop()
    if (attempt === 5) throw new Error(`redis-server does not answer on port ${port}`)
  }
}

/** A port that nobody listens on, of which nobody knows yet. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function answers(port: number, pid: number): Promise<boolean> {
  for (const end = Date.now() + 3_000; Date.now() < end; await sleep(10)) {
    const info = await ask(port).catch(() => '')
    const [, process] = /process_id:(\d+)/.exec(info) ?? []
    if (process) return Number(process) === pid
  }
  return false
}

/** Its INFO, by hand, because ioredis would go on trying and log. */
async function ask(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1').setEncoding('utf8')
  try {
    await once(socket, 'connect')
    socket.write('INFO server\r\n')
    let text = ''
    for await (const chunk of socket) {
      text += chunk
      if (text.includes('config_file')) break
    }
    return text
  } finally {
    socket.destroy()
  }
}
