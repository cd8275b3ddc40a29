import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type Counts, type FromMember, type MemberConfiguration, NOTHING_YET, type ToMember } from './protocol'

/** A worker process, as seen from the one that started it. */
export interface Member {
  readonly name: string
  readonly pid: number
  /** What it has said of itself; it may be a fifth of a second old. */
  readonly counts: Counts
  /** Lets it begin. */
  go(): void
  /** `SIGSTOP`, `SIGCONT`, `SIGKILL`… */
  signal(name: NodeJS.Signals): void
}

export interface Fleet {
  readonly members: readonly Member[]
  /** Lets all of them begin, in the same moment. */
  go(): void
  /** Ends every process; what they have counted stays. */
  stop(): Promise<void>
}

export interface FleetOptions {
  readonly processes: number
  /** The same for every process, but for the name. */
  readonly configuration: Omit<MemberConfiguration, 'name'>
  /** The file that each process runs. Default: the one that is built beside this. */
  readonly memberFile?: string
}

/** Starts the processes, and resolves when all of them are ready to go. */
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
  let counts = NOTHING_YET
  child.on('message', (message: FromMember) => {
    if (message.type === 'counts') counts = message.counts
  })
  // To one that has ended nothing can be sent, and nothing needs to be.
  const send = (message: ToMember) => child.connected && child.send(message, () => {})
  const ready = once(child, 'message')
  send({ type: 'configure', configuration })
  const exited = once(child, 'exit')
  await Promise.race([
    ready,
    exited.then(([code]) => Promise.reject(new Error(`${configuration.name} ended with ${code}`))),
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

/** One that stands still, or hangs, is killed. */
async function endOf(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS)
  await exited
  clearTimeout(timer)
}
