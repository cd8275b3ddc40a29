import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import {
  type CallReport,
  type Counts,
  type FromMember,
  type MemberConfiguration,
  type MemberEvent,
  NO_COUNTS,
  type TokenInUse,
  type ToMember,
} from './protocol'

/** A worker process, as the process that started it sees it. */
export interface Member {
  readonly name: string
  readonly pid: number
  /** Its last report. A process reports five times a second. */
  readonly counts: Counts
  /** The token that it used at its last report. */
  readonly token: TokenInUse | undefined
  /** Resolves when the process has ended. */
  readonly ended: Promise<void>
  /** Starts its work. */
  go(): void
  /** Uses this secret for its token requests from now on. */
  useSecret(clientSecret: string): void
  /** Moves its clock ahead. */
  skip(ms: number): void
  /** Sends it a signal, for example `SIGSTOP`, `SIGCONT` or `SIGKILL`. */
  signal(name: NodeJS.Signals): void
  /** Ends the process. Its counts stay readable. */
  stop(): Promise<void>
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
  const names = memberNames(processes)
  const members = await Promise.all(names.map((name) => startMember({ ...configuration, name }, { memberFile })))
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

export function memberNames(processes: number): string[] {
  return Array.from({ length: processes }, (_, index) => `worker-${index + 1}`)
}

const STOPS_WITHIN_MS = 5_000

export interface MemberOptions {
  readonly memberFile?: string | undefined
  /** Called for what happens in the process, as it happens. */
  readonly onEvent?: (event: MemberEvent) => void
  /** Called five times a second with the calls of a process that has targets. */
  readonly onCalls?: (report: CallReport) => void
}

/** Starts one process. Resolves when it is ready. */
export async function startMember(configuration: MemberConfiguration, options: MemberOptions = {}): Promise<Member> {
  const file = options.memberFile ?? fileURLToPath(new URL('./member.js', import.meta.url))
  const child = fork(file, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  let counts = NO_COUNTS
  let token: TokenInUse | undefined
  child.on('message', (message: FromMember) => {
    if (message.type === 'counts') ({ counts, token } = message)
    if (message.type === 'event') options.onEvent?.(message.event)
    if (message.type === 'calls') options.onCalls?.(message.report)
  })
  // A process that has ended gets no more messages. That is no error.
  const send = (message: ToMember) => void (child.connected && child.send(message, () => {}))
  const exited = once(child, 'exit')
  const ready = isReady(child)
  send({ type: 'configure', configuration })
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
    get token() {
      return token
    },
    ended: exited.then(() => undefined),
    go: () => send({ type: 'go' }),
    useSecret: (clientSecret) => send({ type: 'useSecret', clientSecret }),
    skip: (ms) => send({ type: 'skip', ms }),
    signal: (name) => void child.kill(name),
    async stop() {
      send({ type: 'stop' })
      await endOf(child, exited)
    },
  }
}

function isReady(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.on('message', ({ type }: FromMember) => {
      if (type === 'ready') resolve()
    })
  })
}

/** Waits for the end of a process. Kills it when it is stopped or hangs. */
async function endOf(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  const timer = setTimeout(() => child.kill('SIGKILL'), STOPS_WITHIN_MS)
  await exited
  clearTimeout(timer)
}
