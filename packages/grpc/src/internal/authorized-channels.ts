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

/** A channel that is not closed. */
interface OpenChannel extends AuthorizedChannel {
  readonly channel: AnyChannel
  readonly isSecure: boolean
}

/** Creates the channels of clients, and knows which of them may get tokens. */
export class AuthorizedChannels<Name extends string = string> {
  /** By their targets. Of the channels to one target, the first one's rules count. */
  readonly #open = new Map<string, OpenChannel[]>()
  #sole: AuthorizedChannel | undefined
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
    const isReady = () => channel.getConnectivityState(false) === connectivityState.READY
    this.#add({ authorizer, origin, isReady, channel, isSecure })
    return channel
  }

  /** The first channel to the only target, if there is one only. */
  get sole(): AuthorizedChannel | undefined {
    return this.#sole
  }

  /** The channel to a target as `getPeer` and `getTarget` name it. */
  find(target: string): AuthorizedChannel | undefined {
    return this.#open.get(target)?.[0]
  }

  #add(added: OpenChannel): void {
    const { channel, isSecure } = added
    const target = channel.getTarget()
    const open = this.#openTo(target)
    // A factory may return one channel for several clients.
    const same = open.filter((other) => other.channel === channel)
    if (same.length === 0) this.#watch(channel, target)
    if (same.some((other) => other.isSecure === isSecure)) return
    // The channels in plain text come first, because they have the stricter rules.
    this.#replace(target, isSecure ? [...open, added] : [added, ...open])
  }

  /** Forgets the channel when it is closed. There is no event for that. */
  #watch(channel: AnyChannel, target: string): void {
    const close = channel.close.bind(channel)
    const closeAndForget = () => {
      close()
      this.#replace(target, this.#openTo(target))
    }
    // A factory may return a frozen object. It is forgotten when the next client of its target is created.
    Reflect.set(channel, 'close', closeAndForget)
  }

  #openTo(target: string): OpenChannel[] {
    return (this.#open.get(target) ?? []).filter(isOpen)
  }

  #replace(target: string, open: OpenChannel[]): void {
    if (open.length > 0) this.#open.set(target, open)
    else this.#open.delete(target)
    const [sole] = this.#open.size === 1 ? this.#open.values() : []
    this.#sole = sole?.[0]
  }
}

/** A channel that several clients share may stay open when one of them closes it. */
function isOpen({ channel }: OpenChannel): boolean {
  return channel.getConnectivityState(false) !== connectivityState.SHUTDOWN
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
