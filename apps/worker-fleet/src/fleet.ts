import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Counts, type FromMember, type MemberConfiguration, NO_COUNTS, type ToMember } from './protocol'

/** A worker process, as the process that started it sees it. */
export interface Member {
  readonly name: string
  readonly pid: number
  /** Its last report. A process reports five times a second. */
  readonly counts: Counts
  /** Starts its work. */
  go(): void
  /** Sends it a signal, for example `SIGSTOP`, `SIGCONT` or `SIGKILL`. */
  signal(name: NodeJS.Signals): void
}

export interface Fleet {
  readonly members: readonly Member[]
  /** Starts the work of all processes at the same moment. */
  go(): void
  /** Ends every process. Their counts stay readable. */
  stop(): Promise<void>
}

export interface FleetOptions {
  readonly processes: number
  /** The configuration of every process. Each gets a name of its own. */
  readonly configuration: Omit<MemberConfiguration, 'name'>
  /** The file that each process runs. Default: `member.js` in the folder of this file. */
  readonly memberFile?: string
}

/** Starts the processes. Resolves when all of them are ready. Their work starts with `go`. */
export async function startFleet({ processes, configuration, memberFile }: FleetOptions): Promise<Fleet> {
  const file = memberFile ?? fileURLToPath(new URL('./member.js', import.meta.url))
  const names = Array.from({ length: processes }, (_, index) => `worker-${index + 1}`)
  const members = await Promise.all(names.map((name) => startMember(file, { ...configuration, name })))
  return {
    members,
    go() {
      for (const member of members) member.go()
    },
    async stop() {
      await Promise.all(members.map((member) => member.stop()))
    },
  }
}

const STOPS_WITHIN_MS = 5_000

async function startMember(file: string, configuration: MemberConfiguration) {
  const child = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  let counts = NO_COUNTS
  child.on('message', (message: FromMember) => {
    if (message.type === 'counts') counts = message.counts
  })
  // A process that has ended gets no more messages. That is no error.
  const send = (message: ToMember) => child.connected && child.send(message, () => {})
  const ready = once(child, 'message')
  send({ type: 'configure', configuration })
  const exited = once(child, 'exit')
  await Promise.race([
    ready,
    exited.then(([code]) => Promise.reject(new Error(`${configuration.name} ended with code ${code}`))),
  ])
  return {
    name: configuration.name,
    pid: Number(child.pid),
    get counts() {
      return counts
    },
    go: () => void send({ type: 'go' }),
    signal: (name: NodeJS.Signals) => void process.kill(Number(child.pid), name),
    async stop() {
      send({ type: 'stop' })
      await endOf(child, exited)
    },
  }
}

/** Waits for the end of a process. Kills it when it is stopped or hangs. */
async function endOf(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS)
  await exited
  clearTimeout(timer)
}
