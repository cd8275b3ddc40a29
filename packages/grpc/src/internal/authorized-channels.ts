import { Channel, type ChannelCredentials, type ClientOptions, connectivityState, credentials } from '@grpc/grpc-js'
import {
  type AuthorizedCallOptions,
  ConfigurationError,
  createRequestAuthorizer,
  type RequestAuthorizer,
  type TokenManager,
} from '@tokenward/core'
import { originOf } from './origin-of'

/** The part of a channel that is used here. */
type AnyChannel = ReturnType<NonNullable<ClientOptions['channelFactoryOverride']>>

/** Calls on a channel get their tokens here. */
export interface AuthorizedChannel {
  readonly authorizer: RequestAuthorizer
  /** `https://host:port` */
  readonly origin: string
  /** Whether a call can be sent now. */
  isReady(): boolean
}

/** Creates the channels of clients, and knows which of them may get tokens. */
export class AuthorizedChannels<Name extends string = string> {
  readonly #byTarget = new Map<string, AuthorizedChannel>()
  readonly #authorizerOf: (origin: string) => RequestAuthorizer
  readonly #allowsInsecure: () => boolean
  readonly #createChannel: NonNullable<ClientOptions['channelFactoryOverride']>

  constructor(
    tokens: TokenManager<Name>,
    client: Name,
    call: AuthorizedCallOptions,
    { channelFactoryOverride }: ClientOptions,
  ) {
    this.#authorizerOf = (origin) =>
      withPlainNames(() => createRequestAuthorizer<Name>(tokens, client, { ...call, baseURL: origin }))
    // It finds out now whether `tokens` is a token manager.
    this.#authorizerOf('https://localhost')
    this.#allowsInsecure = () => tokens.allowsInsecureRequests(client) === true
    this.#createChannel =
      channelFactoryOverride ??
      ((address, channelCredentials, options) => new Channel(address, channelCredentials, options))
  }

  /** @throws ConfigurationError when tokens would travel by plain text */
  readonly create = (address: string, channelCredentials: ChannelCredentials, options: ClientOptions): AnyChannel => {
    const isSecure = isEncrypted(channelCredentials)
    const origin = originOf(address, isSecure)
    const authorizer = this.#authorizerOf(origin)
    // A proxy that the environment names would get the plain text that is meant for this machine.
    const direct = isSecure || this.#allowsInsecure() ? {} : { 'grpc.enable_http_proxy': 0 }
    const channel = this.#createChannel(address, channelCredentials, { ...options, ...direct })
    const target = channel.getTarget()
    // Of two channels to one target, the one in plain text has the stricter rules.
    if (!isSecure || !this.#byTarget.has(target)) {
      const isReady = () => channel.getConnectivityState(false) === connectivityState.READY
      this.#byTarget.set(target, { authorizer, origin, isReady })
    }
    return channel
  }

  /** The only channel, if there is one only. */
  get sole(): AuthorizedChannel | undefined {
    if (this.#byTarget.size !== 1) return undefined
    const [channel] = this.#byTarget.values()
    return channel
  }

  /** The channel to a target as `getPeer` and `getTarget` name it. */
  find(target: string): AuthorizedChannel | undefined {
    return this.#byTarget.get(target)
  }
}

/** Only credentials for TLS can be combined with credentials for calls. The library says so by an error. */
function isEncrypted(channelCredentials: ChannelCredentials): boolean {
  try {
    channelCredentials.compose(credentials.createEmpty())
    return true
  } catch {
    return false
  }
}

/** Runs `create`. Its problems name what the user typed. */
function withPlainNames<T>(create: () => T): T {
  try {
    return create()
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    const problems = error.problems.map(({ client, option, message }) =>
      option === 'baseURL'
        ? { client, option: 'credentials', message: insecureMessage(message) }
        : { client, option, message },
    )
    throw new ConfigurationError(problems)
  }
}

function insecureMessage(message: string): string {
  if (!message.includes('plain http')) return message
  return 'would send tokens by plain text; use credentials.createSsl(), or set allowInsecureRequests in the definition'
}
