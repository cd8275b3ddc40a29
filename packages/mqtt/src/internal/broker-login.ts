import { type AccessToken, ConfigurationError, snapshotParameters, type TokenManager } from '@tokenward/core'
import type { MqttClient } from 'mqtt'
import type { MqttOptions } from '../options'
import { type BrokerAddress, checkClearText } from './broker-address'

/** How brokers refuse a password: MQTT 3.1.1 (bad user name or password, not authorized), and the same in MQTT 5. */
const REFUSALS: readonly unknown[] = [4, 5, 134, 135]

/**
 * A DISCONNECT packet of MQTT 3.1.1 and 5. With it, a broker does not publish the client's will. MQTT.js could only send it by `end`, and
 * would then refuse to publish until it is connected again.
 */
const DISCONNECT = Uint8Array.of(0xe0, 0)

/** How long a broker may take to end a connection after that packet, in milliseconds. */
const ENDS_WITHIN_MS = 5_000

const CLOSED = 'the broker closed the connection before it accepted the login'

type LoginOptions = Pick<MqttOptions, 'tokenParameters' | 'reconnectBeforeExpiry' | 'onError'>

/** Gives an MQTT client a token for each connection, and lets it connect again before the token expires. */
export class BrokerLogin<Name extends string> {
  readonly #tokens: TokenManager<Name>
  readonly #name: Name
  readonly #address: BrokerAddress
  readonly #options: LoginOptions
  #newest: AccessToken | undefined
  /** The token of the last CONNECT packet. */
  #presented: AccessToken | undefined
  #stopKeeping = () => {}
  /** A new token has just replaced a refused one, and the broker has not accepted it yet. */
  #isRetrying = false

  constructor(tokens: TokenManager<Name>, name: Name, address: BrokerAddress, options: LoginOptions) {
    this.#tokens = tokens
    this.#name = name
    this.#address = address
    this.#options = { ...options, tokenParameters: snapshotParameters(options.tokenParameters) }
  }

  /** Gets the token of the first connection. @throws TokenRequestError when no token can be had */
  async prepare(): Promise<void> {
    await checkClearText(this.#tokens, this.#name, this.#address)
    this.#newest = bearer(await this.#tokens.getAccessToken(this.#name, this.#options.tokenParameters))
  }

  /** What MQTT.js reads for each connection. */
  password(): string | undefined {
    this.#presented = this.#newest
    return this.#newest?.value
  }

  /**
   * @param onFailure gets each error of the client, apart from a refusal after which it connects once more, the error when nobody
   * keeps its token fresh, and an error when the first connection ends without one and there will be no other
   */
  attach(client: MqttClient, onFailure: (error: unknown) => void): void {
    let hasError = false
    const onClose = () => {
      if (!hasError && !reconnects(client)) onFailure(new Error(CLOSED))
    }
    client.on('close', onClose)
    client.on('reconnect', () => {
      hasError = false
    })
    client.on('connect', () => {
      client.off('close', onClose)
      this.#isRetrying = false
      if (this.#presented) this.#tokens.acceptAccessToken(this.#presented, this.#address.origin)
      try {
        // Calls back at once, with a token that was renewed during the login too.
        this.#keepFresh(client)
      } catch (error) {
        // The manager was closed, or the definition removed. What an event listener throws would end the process.
        void Promise.resolve(error)
          .then(this.#options.onError)
          .catch(() => {})
        onFailure(error)
      }
    })
    client.on('error', async (error) => {
      hasError = true
      if (!(await this.#retry(client, error))) onFailure(error)
    })
    client.on('end', () => this.#stopKeeping())
  }

  #keepFresh(client: MqttClient): void {
    this.#stopKeeping()
    const { tokenParameters, onError } = this.#options
    const renewed = (token: AccessToken) => {
      this.#newest = bearer(token)
      const isDue = this.#options.reconnectBeforeExpiry !== false && this.#presented?.value !== token.value
      // A client that is connecting has the new token in its next attempt anyway.
      if (isDue && client.connected && !client.disconnecting) reconnect(client)
    }
    this.#stopKeeping = this.#tokens.keepFresh(this.#name, renewed, { ...tokenParameters, onError })
  }

  /**
   * When the broker has refused the token, the client connects once more with a new one.
   *
   * @returns whether it does
   */
  async #retry(client: MqttClient, error: Error): Promise<boolean> {
    const token = this.#presented
    if (!token || !REFUSALS.includes((error as { code?: unknown }).code)) return false
    const closed = new Promise((resolve) => client.once('close', () => resolve(undefined)))
    const { origin } = this.#address
    const { tokenParameters } = this.#options
    if (this.#isRetrying) this.#tokens.reportRejectedRetry(token, origin)
    try {
      const willRenew = await this.#tokens.rejectAccessToken(this.#name, token, tokenParameters, origin)
      if (!willRenew || this.#isRetrying) return false
      const renewed = await this.#tokens.getAccessToken(this.#name, { ...tokenParameters, insteadOf: token })
      if (renewed.value === token.value) return false
      this.#newest = bearer(renewed)
      this.#isRetrying = true
      await closed
    } catch {
      // The token manager has reported it, and the client has emitted the broker's refusal.
      return false
    }
    if (client.disconnecting) return false
    // With this option, MQTT.js connects again by itself.
    if (!client.options.reconnectOnConnackError || !reconnects(client)) connectAgain(client)
    return true
  }
}

/** Whether MQTT.js connects again after a connection has ended. */
function reconnects({ options: { reconnectPeriod = 0 } }: MqttClient): boolean {
  return reconnectPeriod > 0
}

/** Ends the connection as if it were lost, so that MQTT.js keeps what is to be sent, and subscribes again. */
function reconnect(client: MqttClient): void {
  const { stream } = client
  const timer = setTimeout(() => stream.destroy(), ENDS_WITHIN_MS)
  client.once('close', () => {
    clearTimeout(timer)
    if (!client.disconnecting) connectAgain(client)
  })
  // From now on MQTT.js queues messages.
  client.connected = false
  stream.end(DISCONNECT)
}

/** With the same stores, which hold the messages that were not acknowledged. */
function connectAgain(client: MqttClient): void {
  const { incomingStore, outgoingStore } = client
  client.reconnect({ incomingStore, outgoingStore })
}

function bearer(token: AccessToken): AccessToken {
  if (token.type === 'Bearer') return token
  const message = `must not be set for MQTT: a broker takes Bearer tokens, and this one is ${token.type}`
  throw new ConfigurationError([{ client: token.client, option: 'dpop', message }])
}
