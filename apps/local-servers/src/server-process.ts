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

/** A server process that this process started. */
export interface ServerProcess {
  readonly host: '127.0.0.1'
  readonly port: number
  readonly pid: number
  /** Sends it a signal, for example `SIGSTOP`, `SIGCONT` or `SIGKILL`. */
  signal(name: NodeJS.Signals): void
  /** Kills it and deletes its files. */
  stop(): Promise<void>
}

/** Options of {@link startServerProcess}. */
export interface ServerProcessOptions {
  readonly program: Program
  /** A fixed port, to start a server again where an earlier one was. Default: a free port. */
  readonly port?: number | undefined
  /** Returns the command line arguments, for a port and a folder that the server may write to. */
  readonly args: (port: number, folder: string) => Promise<readonly string[]> | readonly string[]
  /**
   * How to recognise it: the command, a text in the last line of the response, and a pattern that captures the process id. Without a
   * pattern, the response has to contain its folder. A server that tells neither says in its folder whether it has started.
   */
  readonly identify:
    | { readonly command: string; readonly end: string; readonly pid?: RegExp }
    | { hasStarted(folder: string): Promise<Start>; readonly withinMs: number }
}

/** How far the start of a server is. */
export type Start = 'under way' | 'done' | 'failed'

// This shell script starts the server and waits until its standard input ends. That also happens when this process is killed, so
// the server never outlives it. The last command ends what the server itself has started.
const keeper =
  '"$0" "$@" >/dev/null 2>&1 & p=$!; echo $p; cat >/dev/null; kill -9 $p 2>/dev/null; wait $p 2>/dev/null; kill -9 0'
const ATTEMPTS = 5
const RESPONDS_WITHIN_MS = 3_000

/**
 * Starts a server on 127.0.0.1 and waits until it responds.
 *
 * @throws Error when it does not respond
 */
export async function startServerProcess(options: ServerProcessOptions): Promise<ServerProcess> {
  const { program } = options
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    const folder = await mkdtemp(join(tmpdir(), 'tokenward-server-'))
    const child = spawn('sh', ['-c', keeper, program.path, ...(await options.args(port, folder))], {
      env: program.env,
      // Ctrl-C goes to the whole process group. In a group of its own, the server runs until `stop`.
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
    // Another process may have taken the port in the meantime. Then it is not this server that responds.
    if (await responds(options, port, pid, folder)) {
      return { host: '127.0.0.1', port, pid, stop, signal: (name) => process.kill(pid, name) }
    }
    await stop()
    if (attempt === ATTEMPTS) throw new Error(`${program.path} does not respond on port ${port}`)
  }
}

async function responds(
  { identify }: ServerProcessOptions,
  port: number,
  pid: number,
  folder: string,
): Promise<boolean> {
  if ('hasStarted' in identify) {
    for (const end = Date.now() + identify.withinMs; Date.now() < end; await sleep(50)) {
      const start = await identify.hasStarted(folder)
      if (start !== 'under way') return start === 'done'
    }
    return false
  }
  for (const end = Date.now() + RESPONDS_WITHIN_MS; Date.now() < end; await sleep(10)) {
    const response = await ask(port, identify.command, identify.end).catch(() => '')
    if (!identify.pid && response.includes(folder)) return true
    const [, respondingPid] = identify.pid?.exec(response) ?? []
    if (respondingPid) return Number(respondingPid) === pid
  }
  return false
}

/**
 * Operating systems choose ports for outgoing connections by themselves, from 32,768 on Linux and 49,152 elsewhere. Ports below
 * that stay free while a test stops its server and starts it again on the same port.
 */
const PORTS = { first: 15_000, count: 15_000 }

/**
 * A port of 127.0.0.1 on which no process listens. Two processes may get the same port at the same time, so a caller has to try
 * again when it is taken.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= 100; attempt++) {
    const port = PORTS.first + randomInt(PORTS.count)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port was found from ${PORTS.first} to ${PORTS.first + PORTS.count - 1}`)
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
