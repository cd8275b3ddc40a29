import { type AccessToken, ConfigurationError, snapshotParameters, type TokenManager } from '@tokenward/core'
import type { LoginOptions } from '../options'

/** What a login needs of a connection of amqplib. */
export interface BrokerConnection {
  updateSecret(newSecret: Buffer, reason: string): Promise<void>
  once(event: 'close', listener: (error?: Error) => void): unknown
  removeListener(event: 'close', listener: (error?: Error) => void): unknown
}

/** What amqplib asks for the credentials of each connection. It has no token in it. */
export interface Credentials {
  readonly mechanism: 'PLAIN'
  response(): Buffer
}

/** A connection that has logged in, and the token that it has or shall get next. */
interface Session {
  readonly connection: BrokerConnection
  token: AccessToken
  /** Whether the broker has not confirmed a token yet. */
  isUpdating: boolean
}

const REASON = 'access token renewed'
const UNCONFIRMED = 'the broker has not confirmed the token before: the new one is sent when it does'

/** NOT_ALLOWED: how RabbitMQ closes a connection whose new token it refuses. */
const REFUSED_UPDATE = 530

/** Whether a broker refused a login. amqplib names the code in the message only. */
export function isRefusedLogin(error: unknown): boolean {
  return error instanceof Error && /^Handshake terminated by server: 403\b/.test(error.message)
}

/**
 * Logs the connections of one client in, one connection at a time. The broker gets the newest token with each login, and over the open
 * connection each time that the token is renewed.
 */
export class BrokerLogin<Name extends string = string> {
  readonly #tokens: TokenManager<Name>
  readonly #client: Name
  readonly #parameters: LoginOptions['tokenParameters']
  readonly #onError: LoginOptions['onError']
  readonly #username: string | undefined
  #newest: AccessToken | undefined
  /** The token of the last login, which the broker may refuse. */
  #presented: AccessToken | undefined
  #session: Session | undefined
  #stopKeeping = () => {}

  constructor(tokens: TokenManager<Name>, client: Name, options: LoginOptions) {
    this.#tokens = tokens
    this.#client = client
    this.#parameters = snapshotParameters(options.tokenParameters)
    this.#onError = options.onError
    this.#username = options.username
  }

  /** What amqplib logs a connection in with. */
  credentials(usernameInUrl: string | undefined): Credentials {
    const username = this.#username ?? usernameInUrl ?? this.#client
    return Object.freeze({
      mechanism: 'PLAIN' as const,
      response: () => Buffer.from(`\0${username}\0${this.#present().value}`),
    })
  }

  /** Gets the token for the next login. @throws TokenRequestError when no token can be had */
  async prepare(): Promise<void> {
    this.#newest = await this.#tokens.getAccessToken(this.#client, this.#parameters)
    this.#mustBeBearer(this.#newest)
  }

  /** Keeps the token fresh until {@link stop}, also while no connection is open. */
  keepFresh(): void {
    this.#stopKeeping()
    this.#stopKeeping = this.#tokens.keepFresh(this.#client, (token) => this.#renewed(token), {
      ...this.#parameters,
      onError: this.#onError,
    })
  }

  stop(): void {
    this.#stopKeeping()
  }

  /**
   * A connection has logged in. From now on it gets each new token.
   *
   * @throws UnknownClientError or TokenRequestError `closed` when nobody keeps the token fresh any more
   */
  attach(connection: BrokerConnection, origin: string): void {
    const token = this.#presented
    if (!token) return
    this.#tokens.acceptAccessToken(token, origin)
    const session = { connection, token, isUpdating: false }
    this.#session = session
    connection.once('close', () => {
      if (this.#session === session) this.#session = undefined
    })
    // Calls back at once, with a token that was renewed during the login too.
    this.keepFresh()
  }

  /**
   * Does what {@link attach} does. A connection that gets no new token lasts as long as the one that it has, and `onError` learns why:
   * libraries lose a connection whose listener throws, or open one after the other.
   */
  attachAgain(connection: BrokerConnection, origin: string): void {
    try {
      this.attach(connection, origin)
    } catch (error) {
      void Promise.resolve(error)
        .then(this.#onError)
        .catch(() => {})
    }
  }

  /** The broker refused the login. @returns whether there is a new token for another one */
  async refused(origin: string): Promise<boolean> {
    const token = this.#presented
    if (!token) return false
    try {
      if (!(await this.#tokens.rejectAccessToken(this.#client, token, this.#parameters, origin))) return false
      const renewed = await this.#tokens.getAccessToken(this.#client, { ...this.#parameters, insteadOf: token })
      if (renewed.value === token.value) return false
      this.#newest = renewed
      return true
    } catch {
      // The token manager has reported it. The caller gets the broker's refusal.
      return false
    }
  }

  /** The broker refused the new token too. */
  refusedAgain(origin: string): void {
    if (this.#presented) this.#tokens.reportRejectedRetry(this.#presented, origin)
  }

  #present(): AccessToken {
    if (!this.#newest) throw new Error(`no token of client '${this.#client}' is there yet`)
    this.#presented = this.#newest
    return this.#newest
  }

  async #renewed(token: AccessToken): Promise<void> {
    this.#mustBeBearer(token)
    this.#newest = token
    const session = this.#session
    if (!session || session.token.value === token.value) return
    session.token = token
    // amqplib and this class would have one more listener for each token that is not confirmed.
    if (session.isUpdating) throw new Error(UNCONFIRMED)
    session.isUpdating = true
    try {
      for (let sent: AccessToken | undefined; this.#session === session && sent !== session.token; ) {
        sent = session.token
        await this.#update(session, sent)
      }
    } finally {
      session.isUpdating = false
    }
  }

  /** Resolves when the broker has confirmed the token, or the connection is closed. */
  async #update({ connection }: Session, token: AccessToken): Promise<void> {
    let onClose: (error?: Error & { code?: number }) => void = () => {}
    // amqplib leaves the promise of `updateSecret` pending when the connection closes.
    const closed = new Promise<void>((resolve, reject) => {
      onClose = (error) => (error ? reject(error) : resolve())
      connection.once('close', onClose)
    })
    try {
      await Promise.race([connection.updateSecret(Buffer.from(token.value), REASON), closed])
    } catch (error) {
      const { code } = error as { code?: number }
      if (code === REFUSED_UPDATE) await this.#tokens.rejectAccessToken(this.#client, token, this.#parameters)
      throw error
    } finally {
      connection.removeListener('close', onClose)
    }
  }

  #mustBeBearer({ type }: AccessToken): void {
    if (type === 'Bearer') return
    const message = `must not be set for AMQP: a broker takes Bearer tokens, and this one is ${type}`
    throw new ConfigurationError([{ client: this.#client, option: 'dpop', message }])
  }
}
