import type { RequestAuthorization } from '@tokenward/core'
import { type ClientOptions, WebSocket } from 'ws'
import { webSocketUrl } from './urls'

/** The headers of a response. */
type ReceivedHeaders = Readonly<Record<string, string | string[] | undefined>>

/** What the server responded to one request for a connection. */
export type Reply =
  | { readonly state: 'open'; readonly socket: WebSocket; readonly headers: ReceivedHeaders }
  | { readonly state: 'refused'; readonly status: number; readonly headers: ReceivedHeaders }

/** What every attempt to connect has in common. */
export interface ConnectOptions {
  readonly protocols: string | string[] | undefined
  readonly signal: AbortSignal | undefined
  readonly options: ClientOptions
}

/**
 * Opens a connection with an authorization.
 *
 * @throws Error of the library when there is no connection, and the reason of the signal
 */
export function openSocket(
  { url, headers }: RequestAuthorization,
  { protocols, signal, options }: ConnectOptions,
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const socket = new WebSocket(webSocketUrl(new URL(url)), protocols, {
      ...options,
      headers: withHeaders(options.headers, headers),
      // The token is for this URL only.
      followRedirects: false,
    })
    let received: ReceivedHeaders = {}
    const end = () => {
      signal?.removeEventListener('abort', abort)
      socket.off('open', opened).off('error', failed).off('unexpected-response', refused).off('upgrade', upgraded)
    }
    /** Ends the connection. The library then reports an error that nobody waits for. */
    const drop = () => {
      end()
      socket.on('error', () => {})
      socket.terminate()
    }
    const abort = () => {
      drop()
      reject(signal?.reason)
    }
    const opened = () => {
      end()
      resolve({ state: 'open', socket, headers: received })
      // A message that the server sends at once must not come before the caller listens.
      socket.pause()
      setTimeout(() => socket.resume())
    }
    const failed = (error: Error) => {
      end()
      reject(error)
    }
    const upgraded = (response: { headers: ReceivedHeaders }) => {
      received = response.headers
    }
    const refused = (_request: unknown, response: { statusCode?: number; headers: ReceivedHeaders }) => {
      drop()
      resolve({ state: 'refused', status: response.statusCode ?? 0, headers: response.headers })
    }
    socket.on('open', opened).on('error', failed).on('unexpected-response', refused).on('upgrade', upgraded)
    signal?.addEventListener('abort', abort)
  })
}

/** Those of the caller, where the authorization has none of the same name. */
function withHeaders(given: ClientOptions['headers'], own: RequestAuthorization['headers']): ClientOptions['headers'] {
  const others = Object.entries(given ?? {}).filter(([name]) => !Object.hasOwn(own, name.toLowerCase()))
  return { ...Object.fromEntries(others), ...own }
}
