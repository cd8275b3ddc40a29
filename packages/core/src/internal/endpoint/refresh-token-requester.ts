import type { ClientConfiguration } from '../../client-configuration'
import type { Clock } from '../../clock'
import { TokenRequestError } from '../../errors'
import type { KeptCredential } from '../../kept-credentials'
import type { RequestedToken, TokenRequest, TokenRequester, TokenResponse } from '../../token-requester'
import { withHidden } from '../util/hidden'
import { isRefreshToken } from '../util/refresh-token-syntax'
import { sha256 } from '../util/sha256'
import { copyError } from './copy-error'
import { grantRequester } from './grant-requester'
import { noteProgress, shareProgress } from './request-progress'
import { tokenRequestFailure } from './token-request-failure'
import { LONGEST_LIFETIME_MS } from './token-response'
import type { ResponseMembers } from './token-response-body'

export interface RefreshTokenOptions {
  readonly clock: Clock
  /** The refresh token that the first token request is sent with. */
  first(client: ClientConfiguration, request: TokenRequest): Promise<string>
  /** How long a refresh token is kept whose response does not say how long it lives, in milliseconds. */
  readonly lifetimeMs: number
  identity(client: ClientConfiguration, requested: RequestedToken): Promise<string>
}

/** The refresh token grant: each request is sent with the refresh token of the response before it. */
export function refreshTokenRequester({ clock, first, lifetimeMs, identity }: RefreshTokenOptions): TokenRequester {
  const uses = new WeakMap<TokenRequest, Use>()
  const requester = grantRequester(clock, {
    type: 'refresh_token',
    parameters: async (_client, request) => ({ refresh_token: uses.get(request)?.newest ?? '' }),
    received: (request, members) => uses.get(request)?.received(members),
    identity,
  })

  async function send(
    client: ClientConfiguration,
    given: TokenRequest,
    refreshToken: string,
    { value, keep, signal, sending }: KeptCredential,
  ): Promise<TokenResponse> {
    const request = withSignal(given, signal, sending)
    const use = new Use(refreshToken)
    uses.set(request, use)
    const keepNewest = () => keep(use.newest, use.lifetimeMs ?? lifetimeMs)
    const sendIt = async () => {
      const response = await requester.request(client, request)
      if (use.isMalformed) throw malformed(client.name)
      return response
    }
    const response = await sendIt().catch(async (error) => {
      // Whatever else is wrong with the response, the server may take a second use of the old one for a theft.
      if (use.isReplaced) await keepNewest()
      throw error
    })
    // Without a new one, the old one stays valid, and is kept for longer. The first one is in the definition.
    if (use.hasNew || value !== undefined) await keepNewest()
    return response
  }

  return Object.freeze({
    ...requester,

    async request(client: ClientConfiguration, request: TokenRequest): Promise<TokenResponse> {
      if (!request.kept) throw new TypeError('refreshToken: a token request of a token manager is needed')
      const initial = await suppliedFirst(client, request)
      // Waiting for another process's use is not the supplier's fault.
      noteProgress(request.signal, { step: 'token_request' })
      return request.kept.use(`refresh_token ${await sha256(initial)}`, async (credential) => {
        shareProgress(request.signal, credential.signal)
        try {
          return await send(client, request, credential.value ?? initial, credential)
        } catch (error) {
          if (!isRefused(error)) throw error
          const newer = await credential.newer()
          if (newer !== undefined) return await send(client, request, newer, credential)
          throw withAdvice(error)
        }
      })
    },
  })

  async function suppliedFirst(client: ClientConfiguration, request: TokenRequest): Promise<string> {
    try {
      return await first(client, request)
    } catch (error) {
      throw await tokenRequestFailure(client.name, error)
    }
  }
}

/** One use of a refresh token, and what the responses to its request say about the next one. */
class Use {
  readonly #sent: string
  #members: ResponseMembers = {}
  /** The refresh token of the newest response, else the one that was sent. */
  newest: string

  constructor(sent: string) {
    this.#sent = sent
    this.newest = sent
  }

  received(members: ResponseMembers): void {
    const { refresh_token: next, access_token, error } = members
    this.#members = members
    // Some servers send their errors with status 200. What comes with an error is no new refresh token.
    const isError = access_token === undefined && typeof error === 'string' && error !== ''
    if (!isError && isRefreshToken(next)) this.newest = next
  }

  get isReplaced(): boolean {
    return this.newest !== this.#sent
  }

  get hasNew(): boolean {
    return this.isReplaced || this.#members.refresh_token !== undefined
  }

  get isMalformed(): boolean {
    const { refresh_token: next } = this.#members
    return next !== undefined && !isRefreshToken(next)
  }

  /**
   * Undefined: the response does not say it. Lifetimes of refresh tokens are not standardised. Azure AD B2C and GitHub have the first name,
   * Keycloak has the second. Keycloak's 0 means that the token does not expire.
   */
  get lifetimeMs(): number | undefined {
    const { refresh_token_expires_in, refresh_expires_in } = this.#members
    const lifetime = refresh_token_expires_in ?? refresh_expires_in
    // `Number` throws for some objects.
    const seconds = typeof lifetime === 'object' ? Number.NaN : Number(lifetime)
    return seconds > 0 ? Math.min(seconds * 1000, LONGEST_LIFETIME_MS) : undefined
  }
}

/** The same request, which ends with another signal. Its members are hidden, so a spread would lose them. */
function withSignal(request: TokenRequest, signal: AbortSignal, sending: () => void): TokenRequest {
  const { scope, resource, audience, parameters, clientAssertion } = request
  return withHidden(
    { scope, resource, audience },
    {
      parameters,
      clientAssertion,
      signal,
      nonceRetried: () => request.nonceRetried(),
      secretRotated: (index?: number) => request.secretRotated?.(index),
      serverTime: (milliseconds: number) => request.serverTime?.(milliseconds),
      sending: () => {
        sending()
        request.sending?.()
      },
    },
  )
}

function malformed(client: string): TokenRequestError {
  const errorDescription = 'refresh_token is malformed or too long'
  return new TokenRequestError({ client, error: 'invalid_response', errorDescription, retryable: false })
}

function isRefused(error: unknown): error is TokenRequestError {
  return error instanceof TokenRequestError && error.error === 'invalid_grant'
}

function withAdvice(error: TokenRequestError): TokenRequestError {
  const { errorDescription = 'no description' } = error
  const advice =
    'the refresh token has expired, was revoked or was used before: get a new one, and put it into the definition'
  return copyError(error, { errorDescription: `${errorDescription} (${advice})` })
}
