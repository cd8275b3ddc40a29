import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from './ask'
import type { Program } from './program'

/** A server that this process started. */
export interface ServerProcess {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly pid: number
  /** `SIGSTOP`, `SIGCONT`, `SIGKILL`… */
  signal(name: NodeJS.Signals): void
  /** Kills it and removes its files. */
  stop(): Promise<void>
}

/** How to start one. */
export interface ServerProcessOptions {
  readonly program: Program
  /** A fixed port: to start one again where another was. Default: a free one. */
  readonly port?: number | undefined
  /** Its command line arguments, given the port and the folder that it may write to. */
  readonly args: (port: number, folder: string) => Promise<readonly string[]> | readonly string[]
  /** What to ask it for its process id, what is in the answer's last line, and where the id is in it. */
  readonly identify: { readonly command: string; readonly end: string; readonly pid: RegExp }
}

// What starts the server waits for the end of its own input: when this process dies, however, the server dies too.
const keeper = '"$0" "$@" >/dev/null 2>&1 & p=$!; echo $p; cat >/dev/null; kill -9 $p 2>/dev/null; wait $p 2>/dev/null'
const ATTEMPTS = 5
const ANSWERS_WITHIN_MS = 3_000

/** Starts a server on 127.0.0.1 and waits until it answers. @throws Error when it does not. */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { program } = options
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const folder = await mkdtemp(join(tmpdir(), 'tokenward-server-'))
    const child = spawn('sh', ['-c', keeper, program.path, ...(await options.args(port, folder))], {
      env: program.env,
      // A terminal sends Ctrl-C to the whole group; the server has to last until the one who uses it is done.
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const [line] = await once(createInterface(child.stdout), 'line')
    const pid = Number(line)
    const stop = async () => {
      child.stdin.end()
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await rm(folder, { recursive: true, force: true })
    }
    // Between being found free and being used, a port may be taken; then the process that answers is another.
    if (await answers(options, port, pid)) {
      return { host: '127.0.0.1', port, pid, stop, signal: (name) => process.kill(pid, name) }
    }
    await stop()
    if (attempt === ATTEMPTS) throw new Error(`${program.path} does not answer on port ${port}`)
  }
}

async function answers({ identify }: ServerProcessOptions, port: number, pid: number): Promise<boolean> {
  for (const end = Date.now() + ANSWERS_WITHIN_MS; Date.now() < end; await sleep(10)) {
    const answer = await ask(port, identify.command, identify.end).catch(() => '')
    const [, process] = identify.pid.exec(answer) ?? []
    if (process) return Number(process) === pid
  }
  return false
}

/**
 * Below the ports that operating systems hand out by themselves (from 32,768 on Linux, 49,152 elsewhere), because such a
 * port can be given to any outgoing connection while a test has its server down and means to start it there again.
 */
const PORTS = { first: 15_000, count: 15_000 }

/** A port of 127.0.0.1 that nobody listens on. Two processes may draw the same one: whoever uses it has to try again. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= 100; attempt++) {
    const port = PORTS.first + randomInt(PORTS.count)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port from ${PORTS.first} to ${PORTS.first + PORTS.count - 1}`)
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
