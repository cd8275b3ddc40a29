import { type CompiledScript, compileLua, fromTable, type LuaTable, type LuaValue, RedisError, toTable } from './lua'

/** What a key holds. `list` stands for every type that the store does not use. */
type Value =
  | { readonly type: 'string'; readonly text: string }
  | { readonly type: 'zset'; readonly scores: ReadonlyMap<string, number> }
  | { readonly type: 'list'; readonly items: readonly string[] }

export interface Entry {
  readonly value: Value
  /** Infinite: the key does not expire. */
  readonly expiresAt: number
}

/** A reply, as a client of Redis gets it. */
export type Reply = null | number | string | Reply[]

const NO_EXPIRY = Number.POSITIVE_INFINITY
const WRONG_TYPE = 'WRONGTYPE Operation against a key holding the wrong kind of value'

/**
 * Redis in memory: the commands and scripts of the Redis store, with the semantics of a real Redis. It runs the scripts as they
 * are. A test compares it with a real Redis.
 */
export class RedisModel {
  readonly #now: () => number
  readonly #onChange: ((key: string, entry: Entry | undefined) => void) | undefined
  readonly #entries = new Map<string, Entry>()
  static readonly #scripts = new Map<string, CompiledScript>()

  /**
   * @param now the time of this Redis, in milliseconds since 1970
   * @param onChange called with each key that changes, for a replica
   */
  constructor(now: () => number, onChange?: (key: string, entry: Entry | undefined) => void) {
    this.#now = now
    this.#onChange = onChange
  }

  /** Runs one command, as one atomic step. @throws RedisError */
  run(command: string, ...args: readonly string[]): Reply {
    if (command.toUpperCase() === 'EVAL') return this.#eval(args)
    return toReply(this.#call(command, args))
  }

  /** The keys that exist, with what they hold. */
  entries(): Map<string, Entry> {
    for (const key of [...this.#entries.keys()]) this.#entry(key)
    return new Map(this.#entries)
  }

  /** Sets a key as it is on another server. */
  replicate(key: string, entry: Entry | undefined): void {
    this.#put(key, entry)
  }

  #eval([source = '', keyCount = '0', ...rest]: readonly string[]): Reply {
    let script = RedisModel.#scripts.get(source)
    if (!script) {
      script = compileLua(source)
      RedisModel.#scripts.set(source, script)
    }
    const count = Number(keyCount)
    const result = script((command, args) => this.#call(command, args), rest.slice(0, count), rest.slice(count))
    return toReply(result)
  }

  #call(command: string, args: readonly string[]): LuaValue {
    const [key = '', ...rest] = args
    switch (command.toUpperCase()) {
      case 'GET':
        return this.#text(key) ?? false
      case 'SET':
        return this.#set(key, rest)
      case 'DEL':
        return args.filter((each) => this.#delete(each)).length
      case 'EXISTS':
        return args.filter((each) => this.#entry(each)).length
      case 'TYPE':
        return { ok: this.#entry(key)?.value.type ?? 'none' }
      case 'STRLEN':
        return Buffer.byteLength(this.#text(key) ?? '')
      case 'PTTL':
        return this.#pttl(key)
      case 'PEXPIREAT':
        return this.#expireAt(key, whole(rest[0]))
      case 'RENAME':
        return this.#rename(key, rest[0] ?? '')
      case 'RPUSH':
        return this.#rpush(key, rest)
      case 'ZADD':
        return this.#zadd(key, score(rest[0]), rest[1] ?? '')
      case 'ZREM':
        return this.#zrem(key, rest)
      case 'ZSCORE':
        return this.#zscore(key, rest[0] ?? '')
      case 'ZRANGE':
        return this.#zrange(key, rest)
      case 'ZREMRANGEBYSCORE':
        return this.#zremrangebyscore(key, rest[0] ?? '', rest[1] ?? '')
      case 'FLUSHALL':
        for (const each of [...this.#entries.keys()]) this.#delete(each)
        return { ok: 'OK' }
      default:
        throw new Error(`the model of Redis does not know the command ${command}`)
    }
  }

  #entry(key: string): Entry | undefined {
    const entry = this.#entries.get(key)
    if (entry && entry.expiresAt <= this.#now()) {
      this.#entries.delete(key)
      return undefined
    }
    return entry
  }

  #put(key: string, entry: Entry | undefined): void {
    if (entry) this.#entries.set(key, entry)
    else this.#entries.delete(key)
    this.#onChange?.(key, entry)
  }

  #delete(key: string): boolean {
    const existed = this.#entry(key) !== undefined
    if (existed) this.#put(key, undefined)
    return existed
  }

  #text(key: string): string | undefined {
    const entry = this.#entry(key)
    if (!entry) return undefined
    if (entry.value.type !== 'string') throw new RedisError(WRONG_TYPE)
    return entry.value.text
  }

  #set(key: string, [text = '', ...options]: readonly string[]): LuaValue {
    const words = options.map((option) => option.toUpperCase())
    if (words.includes('NX') && this.#entry(key)) return false
    const px = words.indexOf('PX')
    const ttlMs = px < 0 ? NO_EXPIRY : whole(options[px + 1])
    if (ttlMs <= 0) throw new RedisError("ERR invalid expire time in 'set' command")
    this.#put(key, { value: { type: 'string', text }, expiresAt: this.#now() + ttlMs })
    return { ok: 'OK' }
  }

  #pttl(key: string): number {
    const entry = this.#entry(key)
    if (!entry) return -2
    return entry.expiresAt === NO_EXPIRY ? -1 : Math.max(0, entry.expiresAt - this.#now())
  }

  #expireAt(key: string, time: number): number {
    const entry = this.#entry(key)
    if (!entry) return 0
    if (time <= this.#now()) this.#delete(key)
    else this.#put(key, { ...entry, expiresAt: time })
    return 1
  }

  #rename(from: string, to: string): LuaValue {
    const entry = this.#entry(from)
    if (!entry) throw new RedisError('ERR no such key')
    this.#put(from, undefined)
    this.#put(to, entry)
    return { ok: 'OK' }
  }

  #rpush(key: string, added: readonly string[]): number {
    const { value, expiresAt } = this.#entry(key) ?? { value: { type: 'list', items: [] }, expiresAt: NO_EXPIRY }
    if (value.type !== 'list') throw new RedisError(WRONG_TYPE)
    const items = [...value.items, ...added]
    this.#put(key, { value: { type: 'list', items }, expiresAt })
    return items.length
  }

  #scores(key: string): ReadonlyMap<string, number> {
    const entry = this.#entry(key)
    if (entry && entry.value.type !== 'zset') throw new RedisError(WRONG_TYPE)
    return entry?.value.type === 'zset' ? entry.value.scores : new Map()
  }

  #zadd(key: string, at: number, member: string): number {
    const scores = this.#scores(key)
    const expiresAt = this.#entry(key)?.expiresAt ?? NO_EXPIRY
    this.#put(key, { value: { type: 'zset', scores: new Map(scores).set(member, at) }, expiresAt })
    return scores.has(member) ? 0 : 1
  }

  #zscore(key: string, member: string): LuaValue {
    const at = this.#scores(key).get(member)
    return at === undefined ? false : String(at)
  }

  #zrange(key: string, [start, stop, ...options]: readonly string[]): LuaTable {
    const sorted = [...this.#scores(key)].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1))
    const from = position(whole(start), sorted.length)
    const found = sorted.slice(Math.max(0, from), position(whole(stop), sorted.length) + 1)
    const withScores = options.some((option) => option.toUpperCase() === 'WITHSCORES')
    return toTable(found.flatMap(([member, at]) => (withScores ? [member, String(at)] : [member])))
  }

  #zrem(key: string, members: readonly string[]): number {
    return this.#keepScores(key, (member) => !members.includes(member))
  }

  #zremrangebyscore(key: string, least: string, most: string): number {
    const isIn = (at: number) => isAbove(at, least) && isAbove(-at, negated(most))
    return this.#keepScores(key, (_member, at) => !isIn(at))
  }

  /** Removes the other members, and returns how many they were. */
  #keepScores(key: string, isKept: (member: string, at: number) => boolean): number {
    const scores = this.#scores(key)
    const kept = new Map([...scores].filter(([member, at]) => isKept(member, at)))
    const entry = this.#entry(key)
    if (entry && kept.size === 0) this.#delete(key)
    else if (entry && kept.size < scores.size) this.#put(key, { ...entry, value: { type: 'zset', scores: kept } })
    return scores.size - kept.size
  }
}

function whole(text: string | undefined): number {
  if (!/^-?\d{1,19}$/.test(text ?? '')) throw new RedisError('ERR value is not an integer or out of range')
  return Number(text)
}

function score(text: string | undefined): number {
  if (text === '+inf' || text === 'inf') return Number.POSITIVE_INFINITY
  if (text === '-inf') return Number.NEGATIVE_INFINITY
  const number = Number(text)
  if (text === undefined || text === '' || Number.isNaN(number)) throw new RedisError('ERR value is not a valid float')
  return number
}

/** A negative position counts from the end. */
function position(index: number, length: number): number {
  return index < 0 ? length + index : index
}

/** Whether a score is at or above a bound; above it when the bound begins with a parenthesis. */
function isAbove(at: number, bound: string): boolean {
  return bound.startsWith('(') ? at > score(bound.slice(1)) : at >= score(bound)
}

function negated(bound: string): string {
  const isExclusive = bound.startsWith('(')
  const at = -score(isExclusive ? bound.slice(1) : bound)
  const text = at === Number.POSITIVE_INFINITY ? '+inf' : at === Number.NEGATIVE_INFINITY ? '-inf' : String(at)
  return isExclusive ? `(${text}` : text
}

/** How Redis turns what a script returns into a reply. */
function toReply(value: LuaValue): Reply {
  if (value === undefined || value === false) return null
  if (value === true) return 1
  if (typeof value === 'number') return Math.trunc(value)
  if (typeof value === 'string') return value
  if (typeof value.ok === 'string') return value.ok
  if (typeof value.err === 'string') throw new RedisError(value.err)
  return fromTable(value).map(toReply)
}
