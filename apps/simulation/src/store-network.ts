import type { RedisClient } from '@tokenward/store-redis'
import type { Random } from './random'
import type { Reply } from './redis-model'
import type { SimulatedRedis } from './simulated-redis'
import { connectionError, type Host, type World } from './world'

/** What happens to a command on its way. */
type Fate = 'ok' | 'lost' | 'replyLost' | 'silent' | 'twice'
type Shares = Readonly<Record<Exclude<Fate, 'ok'>, number>>

/** How long a client takes to notice that its connection broke, and to connect again. */
const RECONNECT_MS = 50

/** The network between the processes and Redis. */
export class StoreNetwork {
  readonly #world: World
  readonly #redis: SimulatedRedis
  readonly #random: Random
  readonly #roundTripMs: number
  /** Gets every command, as it is on the wire. */
  readonly #watch: (command: string, args: readonly string[]) => void
  delayMs = 0
  shares: Shares = { lost: 0, replyLost: 0, silent: 0, twice: 0 }
  isRefused = false
  /** Commands that Redis runs when it continues. */
  #held: (() => void)[] | undefined
  commands = 0

  constructor(
    world: World,
    redis: SimulatedRedis,
    roundTripMs: number,
    watch: (command: string, args: readonly string[]) => void,
  ) {
    this.#world = world
    this.#redis = redis
    this.#random = world.random.fork('store network')
    this.#roundTripMs = roundTripMs
    this.#watch = watch
  }

  hold(): void {
    this.#held ??= []
  }

  continue(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const run of held) run()
  }

  /** The connection of one process. Its commands arrive in the order in which they were sent. */
  connect(host: Host): RedisClient {
    let lastArrival = 0
    const send = (command: string, ...args: string[]) =>
      new Promise<never>((resolve, reject) => {
        this.#watch(command, args)
        this.commands++
        const oneWay = () => (this.#roundTripMs / 2) * this.#random.between(0.5, 1.5) + this.delayMs / 2
        const fate = this.#fate()
        const arrival = Math.max(lastArrival, this.#world.scheduler.now + oneWay())
        lastArrival = fate === 'twice' ? arrival + RECONNECT_MS : arrival
        const fail = (code: 'ECONNREFUSED' | 'ECONNRESET', delayMs: number) =>
          host.deliver(delayMs, () => reject(connectionError(code)))
        const respond = (outcome: () => Reply) => {
          try {
            const reply = outcome()
            host.deliver(oneWay(), () => resolve(reply as never))
          } catch (error) {
            host.deliver(oneWay(), () => reject(error))
          }
        }
        const run = () => this.#redis.run(host.index, command, args)
        const arrive = () => {
          if (this.isRefused) return fail('ECONNREFUSED', oneWay())
          if (this.#held) return void this.#held.push(arrive)
          this.#world.log.note(`${host.name} ${command} ${fate}`)
          if (fate === 'lost') return fail('ECONNRESET', RECONNECT_MS)
          if (fate === 'ok') return respond(run)
          const reply = attempt(run)
          if (fate === 'replyLost') fail('ECONNRESET', RECONNECT_MS)
          if (fate === 'twice') this.#world.scheduler.in(RECONNECT_MS, () => respond(run))
          return reply
        }
        this.#world.scheduler.at(arrival, arrive)
      })
    return {
      get: (key) => send('GET', key),
      set: (key, value, unit, milliseconds) => send('SET', key, value, unit, String(milliseconds)),
      del: (...keys) => send('DEL', ...keys),
      eval: (script, keyCount, ...rest) => send('EVAL', script, String(keyCount), ...rest),
    }
  }

  #fate(): Fate {
    let drawn = this.#random.next()
    for (const fate of ['lost', 'replyLost', 'silent', 'twice'] as const) {
      drawn -= this.shares[fate]
      if (drawn < 0) return fate
    }
    return 'ok'
  }
}

function attempt(run: () => unknown): void {
  try {
    run()
  } catch {
    // Nobody gets the reply.
  }
}
