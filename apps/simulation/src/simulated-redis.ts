import { type Entry, RedisModel, type Reply } from './redis-model'
import { RUBBISH_MS } from './scenario'
import { EPOCH_MS, type World } from './world'

/** Redis with a replica: flushed, failed over, split between two masters. */
export class SimulatedRedis {
  readonly #world: World
  readonly #replicationMs: number
  /** Gets each value of a key, when the master has it. */
  readonly #onValue: (text: string) => void
  #primary: RedisModel
  #replica: RedisModel
  /** Counts the primaries. A write that had not reached the replica before a failover never does. */
  #generation = 0
  /** The processes that use the replica as their master, while there are two. */
  #split: ((process: number) => boolean) | undefined

  constructor(world: World, replicationMs: number, onValue: (text: string) => void = () => {}) {
    this.#world = world
    this.#onValue = onValue
    this.#replicationMs = replicationMs
    this.#replica = this.#create()
    this.#primary = this.#createPrimary(this.#replica)
  }

  run(process: number, command: string, args: readonly string[]): Reply {
    return (this.#split?.(process) ? this.#replica : this.#primary).run(command, ...args)
  }

  flush(): void {
    this.#generation++
    this.#primary.run('FLUSHALL')
    this.#replica.run('FLUSHALL')
  }

  /** The replica becomes the master, without the writes that have not reached it. */
  promoteReplica(): void {
    this.#generation++
    this.#split = undefined
    this.#primary = this.#createPrimary(this.#replica)
  }

  /** From now on, some processes use the replica as their master. `promoteReplica` ends it. */
  split(isOnReplica: (process: number) => boolean): void {
    this.#generation++
    this.#split = isOnReplica
  }

  /** Replaces what every key holds, each in another way. */
  writeRubbish(random: { index(count: number): number }): void {
    const now = this.#now()
    for (const [key, { value }] of this.#primary.entries()) {
      const rubbish = ['{"v":1}', 'rubbish', '', value.type === 'string' ? value.text.slice(1) : ''][random.index(5)]
      if (rubbish === undefined)
        this.#primary.replicate(key, { value: { type: 'list', items: [] }, expiresAt: now + RUBBISH_MS })
      else if (value.type === 'string') this.#primary.run('SET', key, rubbish, 'PX', String(RUBBISH_MS))
    }
  }

  /** The keys of the master. */
  entries(): Map<string, Entry> {
    return this.#primary.entries()
  }

  #now(): number {
    return EPOCH_MS + this.#world.scheduler.now
  }

  #create(onChange?: (key: string, entry: Entry | undefined) => void): RedisModel {
    return new RedisModel(() => this.#now(), onChange)
  }

  /** A master with the contents of `contents`, and a new replica of it. */
  #createPrimary(contents: RedisModel): RedisModel {
    const generation = this.#generation
    const replica = this.#create()
    const primary = this.#create((key, entry) => {
      // A value that is staged is not in its place yet.
      if (entry?.value.type === 'string' && !key.includes(':staging:')) this.#onValue(entry.value.text)
      this.#world.scheduler.in(this.#replicationMs, () => {
        if (generation === this.#generation) replica.replicate(key, entry)
      })
    })
    for (const [key, entry] of contents.entries()) {
      primary.replicate(key, entry)
      replica.replicate(key, entry)
    }
    this.#replica = replica
    return primary
  }
}
