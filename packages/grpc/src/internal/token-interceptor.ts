import { credentials, type Interceptor } from '@grpc/grpc-js'
import { ConfigurationError } from '@tokenward/core'
import { Attempt, type Authorize } from './attempt'
import type { AuthorizedChannels } from './authorized-channels'
import { TokenCall } from './token-call'

interface InterceptorContext {
  readonly client: string
  readonly channels: Pick<AuthorizedChannels, 'find'>
  /** Whether a unary call is sent once more with a new token. */
  readonly retries: boolean
}

/** Makes the interceptor that attaches tokens. */
export function tokenInterceptor({ client, channels, retries }: InterceptorContext): Interceptor {
  return (options, nextCall) => {
    const { path, requestStream, responseStream } = options.method_definition
    const create = (authorize: Authorize) => {
      const attempt = new Attempt(client, authorize)
      const own = attempt.credentials()
      const all = options.credentials ? credentials.combineCallCredentials(options.credentials, own) : own
      return { attempt, call: nextCall({ ...options, credentials: all }) }
    }
    const first = create(() => tokenCall.begin())
    // The peer of a call that has not begun is the target of its channel.
    const channel = channels.find(first.call.getPeer())
    const tokenCall: TokenCall = new TokenCall(first, {
      isRepeatable: retries && !requestStream && !responseStream,
      create,
      begin(headers, signal) {
        if (channel)
          return channel.authorizer.begin({ method: 'POST', url: channel.origin + path, headers }, { signal })
        const message = 'are for a client that was created with the whole result of createGrpcOptions'
        throw new ConfigurationError([{ client, option: 'interceptors', message }])
      },
    })
    return tokenCall
  }
}
