import type { AuthorizationServer } from './authorization-server'
import type { Random } from './random'
import type { Host, World } from './world'

/** An API that takes the tokens of the authorization server. */
export class ProtectedApi {
  readonly #world: World
  readonly #server: AuthorizationServer
  readonly #random: Random
  readonly #roundTripMs: number
  /** The share of requests that it rejects for no reason. */
  rejectedShare = 0

  constructor(world: World, server: AuthorizationServer, roundTripMs: number) {
    this.#world = world
    this.#server = server
    this.#random = world.random.fork('api')
    this.#roundTripMs = roundTripMs
  }

  /** Sends one request. Resolves to the status. */
  request(host: Host, token: string): Promise<number> {
    return new Promise((resolve) => {
      const oneWay = () => (this.#roundTripMs / 2) * this.#random.between(0.5, 1.5)
      this.#world.scheduler.in(oneWay(), () => {
        const issued = this.#server.issued.get(token)
        const isGood = issued && !issued.revoked && this.#world.scheduler.now < issued.expiresAt
        const status = isGood && !this.#random.chance(this.rejectedShare) ? 200 : 401
        if (status === 401) this.#world.log.note(`the API rejects ${token} of ${host.name}`)
        host.deliver(oneWay(), () => resolve(status))
      })
    })
  }
}
