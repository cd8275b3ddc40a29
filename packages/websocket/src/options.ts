import type { AccessToken, AuthorizedClientOptions } from '@tokenward/core'
import type { ClientOptions, WebSocket } from 'ws'

/** Options of `connectWebSocket`, beside those of `ws`, which are passed on. */
export interface WebSocketOptions
  extends Omit<ClientOptions, 'followRedirects' | 'maxRedirects'>,
    Pick<AuthorizedClientOptions, 'tokenParameters' | 'retryOn401' | 'proofClaims' | 'claimsChallenges'> {
  /** The subprotocols to offer (RFC 6455 §1.9). */
  protocols?: string | string[] | undefined
  /** The origins that tokens may go to, for a URL that comes from elsewhere: `wss://stream.company.com`. Default: that of the URL. */
  allowedOrigins?: readonly (string | URL)[] | undefined
  /** Rejects the call with the signal's reason while it is connecting. It has no effect on an open connection. */
  signal?: AbortSignal | undefined
  /**
   * Gets each token that is newer than the one of the connection, until it is closed: for a protocol that accepts a new token in a message. The
   * token is renewed ahead, although nobody asks for it. What the function throws ends nothing.
   *
   * @example
   * onToken: (token, socket) => socket.send(JSON.stringify({ type: 'authenticate', token: token.value }))
   */
  onToken?: ((token: AccessToken, socket: WebSocket) => unknown) | undefined
}
