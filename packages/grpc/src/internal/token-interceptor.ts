import { credentials, type Interceptor } from '@grpc/grpc-js'
import { ConfigurationError, type RequestAuthorization } from '@tokenward/core'
import { Attempt, type Authorize } from './attempt'
import type { AuthorizedChannel, AuthorizedChannels } from './authorized-channels'
import { CallEnd } from './call-end'
import { TokenCall } from './token-call'

interface InterceptorContext {
  readonly client: string
  readonly channels: Pick<AuthorizedChannels, 'find' | 'sole'>
  /** Whether a unary call is sent once more with a new token. */
  readonly retries: boolean
  /** Whether the token depends on the metadata of the call. */
  readonly readsMetadata: boolean
}

type Begun = RequestAuthorization | Promise<RequestAuthorization>

/** Makes the interceptor that attaches tokens. */
export function tokenInterceptor({ client, channels, retries, readsMetadata }: InterceptorContext): Interceptor {
  return (options, nextCall) => {
    const { path, requestStream, responseStream } = options.method_definition
    const end = new CallEnd()
    const begin = (channel: AuthorizedChannel | undefined, headers: () => Headers): Begun => {
      if (channel) {
        const request = { method: 'POST', url: channel.origin + path, headers }
        return channel.authorizer.begin(request, { signal: end.signal })
      }
      const message = 'are for a client that was created with the whole result of createGrpcOptions'
      throw new ConfigurationError([{ client, option: 'interceptors', message }])
    }
    /** A call whose token grpc-js asks for when the connection is ready. */
    const create = (authorize: Authorize) => {
      const attempt = new Attempt(client, authorize)
      const own = attempt.credentials()
      const all = options.credentials ? credentials.combineCallCredentials(options.credentials, own) : own
      return { attempt, call: nextCall({ ...options, credentials: all }) }
    }
    const isRepeatable = retries && !requestStream && !responseStream

    // The usual case: the token goes into the metadata at once, which costs grpc-js less than credentials for one call.
    const { sole } = channels
    const ready = sole?.isReady() && !readsMetadata ? quietly(() => begin(sole, () => new Headers())) : undefined
    if (ready && !(ready instanceof Promise) && ready.headers.dpop === undefined) {
      const call = nextCall(options)
      if (channels.find(call.getPeer()) === sole) {
        return new TokenCall({ call, attempt: Attempt.ready(client, ready) }, { isRepeatable, create, end })
      }
    }

    const first = create(() => begin(channel, () => tokenCall.headers()))
    // The peer of a call that has not begun is the target of its channel.
    const channel = channels.find(first.call.getPeer())
    const tokenCall: TokenCall = new TokenCall(first, { isRepeatable, create, end })
    return tokenCall
  }
}

/** What `run` throws is found again later. */
function quietly(run: () => Begun): Begun | undefined {
  try {
    const begun = run()
    if (begun instanceof Promise) begun.catch(() => {})
    return begun
  } catch {
    return undefined
  }
}
