import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CallReport,
  type Member,
  type MemberConfiguration,
  type MemberEvent,
  memberNames,
  startMember,
} from '@tokenward/worker-fleet'

export interface WorkersOptions {
  readonly count: number
  readonly configuration: (worker: number) => Omit<MemberConfiguration, 'name'>
  readonly onStart: (name: string) => void
  readonly onEvent: (name: string, event: MemberEvent) => void
  readonly onCalls: (name: string, report: CallReport) => void
  /** A process has ended. @param byItself nobody killed it */
  readonly onEnd: (name: string, byItself: boolean) => void
}

/** So many processes start at the same time. */
const STARTS_AT_ONCE = 8

/** A place in the fleet. When its process ends, another one takes it, with a name of its own. */
interface Slot {
  readonly name: string
  readonly number: number
  starts: number
  member: Member | undefined
  isKilled: boolean
}

/** The worker processes. */
export class Workers {
  readonly #options: WorkersOptions
  readonly #slots: readonly Slot[]
  #isStopping = false

  constructor(options: WorkersOptions) {
    this.#options = options
    this.#slots = memberNames(options.count).map((name, number) => ({
      name,
      number,
      starts: 0,
      member: undefined,
      isKilled: false,
    }))
  }

  /** Starts all of them. They begin at the same moment, so that they all need their first tokens at once. */
  async start(): Promise<void> {
    for (let first = 0; first < this.#slots.length; first += STARTS_AT_ONCE) {
      await Promise.all(this.#slots.slice(first, first + STARTS_AT_ONCE).map((slot) => this.#startProcess(slot)))
    }
    for (const { member } of this.#slots) member?.go()
  }

  /** The names of the processes that run. */
  get names(): string[] {
    return this.#slots.flatMap(({ member }) => (member ? [member.name] : []))
  }

  numberOf(name: string): number | undefined {
    return this.#slots.find(({ member }) => member?.name === name)?.number
  }

  /** `kill -9`, and another start. Resolves when the new process works. */
  async crash(number: number, downMs: number): Promise<void> {
    const slot = this.#slots[number]
    const { member } = slot ?? {}
    if (!slot || !member || slot.isKilled) return
    slot.isKilled = true
    member.signal('SIGKILL')
    await member.ended
    await sleep(downMs)
    await this.#startProcess(slot)
    slot.member?.go()
  }

  /** Kills all of them at once. */
  async restartAll(): Promise<void> {
    await Promise.all(this.#slots.map(({ number }) => this.crash(number, 0)))
  }

  /** SIGSTOP, and SIGCONT later. */
  async pause(number: number, forMs: number): Promise<void> {
    const member = this.#slots[number]?.member
    member?.signal('SIGSTOP')
    await sleep(forMs)
    member?.signal('SIGCONT')
  }

  /** Moves the clock of each process. */
  skip(ms: number): void {
    for (const { member } of this.#slots) member?.skip(ms)
  }

  async stop(): Promise<void> {
    this.#isStopping = true
    const members = this.#slots.flatMap(({ member }) => member ?? [])
    // One that is stopped would hear nothing.
    for (const member of members) member.signal('SIGCONT')
    await Promise.all(members.map((member) => member.stop()))
  }

  async #startProcess(slot: Slot): Promise<void> {
    if (this.#isStopping) return
    const { configuration, onStart, onEvent, onCalls, onEnd } = this.#options
    const name = `${slot.name}.${++slot.starts}`
    onStart(name)
    const member = await startMember(
      { ...configuration(slot.number), name },
      { onEvent: (event) => onEvent(name, event), onCalls: (report) => onCalls(name, report) },
    )
    slot.isKilled = false
    slot.member = member
    void member.ended.then(() => {
      slot.member = undefined
      onEnd(name, !slot.isKilled && !this.#isStopping)
    })
    if (this.#isStopping) await member.stop()
  }
}
