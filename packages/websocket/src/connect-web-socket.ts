import {
  type AccessToken,
  ConfigurationError,
  createRequestAuthorizer,
  type RequestTokenParameters,
  snapshotParameters,
  type TokenManager,
  type TokenParameters,
} from '@tokenward/core'
import type { WebSocket } from 'ws'
import { openSocket, type Reply } from './internal/open-socket'
import { httpUrl, webSocketUrl } from './internal/urls'
import type { WebSocketOptions } from './options'
import { WebSocketUpgradeError } from './web-socket-upgrade-error'

/**
 * Opens a WebSocket connection with an access token in its first request (RFC 6455 §4.1). Resolves to an open socket of `ws`. When the
 * server responds 401, the connection is tried once more with a new token. Redirects are not followed.
 *
 * @example
 * const socket = await connectWebSocket(tokens, 'stream.client', 'wss://stream.company.com/orders')
 * socket.on('message', (data) => console.log(String(data)))
 *
 * @throws ConfigurationError when `tokens` is no token manager, when `url` is none, or when tokens would travel by plain text
 * @throws OriginNotAllowedError when `url` is not in `allowedOrigins`. No token was requested then.
 * @throws TokenRequestError when no token can be had. Nothing was sent to the server then.
 * @throws WebSocketUpgradeError when the server responds with another status than 101
 * @throws Error of `ws` when there is no connection
 */
export async function connectWebSocket<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  url: string | URL,
  options: WebSocketOptions = {},
): Promise<WebSocket> {
  const { tokenParameters, retryOn401, proofClaims, claimsChallenges, ...rest } = options
  const { allowedOrigins, signal, onToken, ...others } = rest
  // The caller may change its objects while the token is requested.
  const { protocols, ...more } = {
    ...others,
    headers: { ...others.headers },
    protocols: [others.protocols ?? []].flat(),
  }
  if (onToken !== undefined && typeof onToken !== 'function') {
    throw new ConfigurationError([{ client, option: 'onToken', message: 'must be a function that takes a token' }])
  }
  const target = httpUrl(client, 'url', url)
  const allowed = allowedOrigins?.map((origin, index) => httpUrl(client, `allowedOrigins[${index}]`, origin).origin)
  const authorizer = createRequestAuthorizer<Name>(tokens, client, {
    allowedOrigins: allowed ?? [target.origin],
    retryOn401,
    proofClaims,
    claimsChallenges,
  })
  const headers = () =>
    new Headers(Object.entries(more.headers).map(([name, value]): [string, string] => [name, String(value)]))
  const parameters = await computed(tokens, client, tokenParameters, { method: 'GET', url: target, headers }, signal)
  const call = { tokenParameters: parameters, signal }
  let authorization = await authorizer.authorize({ method: 'GET', url: target, headers }, call)
  for (;;) {
    const reply = await openSocket(authorization, { protocols, signal, options: more })
    const response = responseOf(reply)
    if (reply.state === 'open') {
      // What is left to learn is a DPoP nonce.
      if (!authorization.isAnswer(200)) void authorization.next(response, false).catch(() => {})
      if (onToken) keepFresh(tokens, client, parameters, authorization.headers.authorization, reply.socket, onToken)
      return reply.socket
    }
    const again = await authorization.next(response, true)
    if (!again) throw new WebSocketUpgradeError({ client, status: reply.status, url: webSocketUrl(target) })
    authorization = again
  }
}

async function computed<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  given: RequestTokenParameters | undefined,
  { method, url, headers }: { method: string; url: URL; headers: () => Headers },
  signal: AbortSignal | undefined,
): Promise<TokenParameters | undefined> {
  if (typeof given !== 'function') return given && snapshotParameters(given)
  const run = () => given({ method, url: new URL(url), headers: headers() })
  return snapshotParameters(await tokens.waitFor({ client, step: 'tokenParameters', signal, run }))
}

function responseOf(reply: Reply) {
  const get = (name: string) => [reply.headers[name] ?? []].flat().join(', ') || null
  return { status: reply.state === 'open' ? 200 : reply.status, headers: { get } }
}

/** Passes each token to `onToken` that is newer than the one of the connection, until it is closed. */
function keepFresh<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  parameters: TokenParameters = {},
  presented: string | undefined,
  socket: WebSocket,
  onToken: NonNullable<WebSocketOptions['onToken']>,
): void {
  const { forceRenewal: _ignored, ...kept } = parameters
  const pass = (token: AccessToken) => {
    if (`${token.type} ${token.value}` !== presented) return onToken(token, socket)
  }
  try {
    socket.on('close', tokens.keepFresh(client, pass, kept))
  } catch (error) {
    // The manager was closed meanwhile.
    socket.terminate()
    throw error
  }
}
