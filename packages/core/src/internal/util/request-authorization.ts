import type { AccessToken } from '../../access-token'
import type { AuthorizedCallOptions } from '../../authorized-client-options'
import type { ApiResponse, RequestAuthorization } from '../../request-authorization'
import type { TokenManager } from '../../token-manager'
import type { TokenParameters } from '../../token-parameters'
import { untilAborted } from './abort'
import { type ApiChallenge, readApiChallenge } from './api-challenge'
import type { BearerHeaders } from './authorization-header'
import { readClaims } from './claims'
import type { StepUps } from './step-ups'

/** What all requests of one HTTP client share. */
export interface AuthorizerContext {
  readonly tokens: TokenManager
  readonly client: string
  readonly bearerHeaders: BearerHeaders
  /** Whether claims that an API demands go into the next token request. */
  readonly answersClaims: boolean
  /** Undefined: APIs may not demand more of a token. */
  readonly stepUps: StepUps | undefined
  mayReceiveToken(url: URL): boolean
  /** The last token that was accepted, and by which origin. To say so again would change nothing. */
  readonly accepted: { token: AccessToken | undefined; origin: string }
}

/** A request as it was at the call. */
export interface AuthorizedRequest {
  readonly method: string
  /** The URL that was checked, in its normal form. */
  readonly href: string
  readonly origin: string
  readonly proofClaims: AuthorizedCallOptions['proofClaims']
  readonly retryOn401: boolean
  /** What the caller wants the token to be requested with. */
  readonly base: TokenParameters | undefined
  /** What it is requested with: `base`, and what the API demanded. */
  readonly parameters: TokenParameters | undefined
  /** Detaches the caller. A function is called when there is something to wait for. */
  readonly signal: AbortSignal | (() => AbortSignal) | undefined
}

/** Each reason to send a request once more applies once. */
interface Resent {
  readonly withNonce: boolean
  readonly withNewToken: boolean
  readonly withStepUp: boolean
}

const FIRST: Resent = { withNonce: false, withNewToken: false, withStepUp: false }

/** The authorization of a request with this token. A Bearer token needs no proof, so nothing has to be waited for. */
export function authorizationOf(
  context: AuthorizerContext,
  request: AuthorizedRequest,
  token: AccessToken,
  resent = FIRST,
): RequestAuthorization | Promise<RequestAuthorization> {
  if (token.type !== 'DPoP') {
    return new TokenAuthorization(context, request, token, resent, context.bearerHeaders.of(token))
  }
  const { method, proofClaims } = request
  const url = new URL(request.href)
  const presented = context.tokens.presentAccessToken(context.client, token, { method, url, proofClaims })
  return presented.then((headers) => new TokenAuthorization(context, request, token, resent, headers))
}

/** The signal of a caller, made now if it is made on demand. */
export function signalOf({ signal }: Pick<AuthorizedRequest, 'signal'>): AbortSignal | undefined {
  return typeof signal === 'function' ? signal() : signal
}

/** A class, because a request with a cached token would otherwise create a closure for each method. */
class TokenAuthorization implements RequestAuthorization {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly followsRedirects: boolean
  readonly #context: AuthorizerContext
  readonly #request: AuthorizedRequest
  readonly #token: AccessToken
  readonly #resent: Resent

  constructor(
    context: AuthorizerContext,
    request: AuthorizedRequest,
    token: AccessToken,
    resent: Resent,
    headers: Readonly<Record<string, string>>,
  ) {
    this.url = request.href
    this.headers = headers
    this.followsRedirects = token.type === 'DPoP'
    this.#context = context
    this.#request = request
    this.#token = token
    this.#resent = resent
  }

  isAnswer(status: number): boolean {
    if (status >= 200 && status < 300) this.#accept()
    return !this.followsRedirects && status !== 401 && (status !== 403 || this.#context.stepUps === undefined)
  }

  #accept(): void {
    const { tokens, accepted } = this.#context
    const { origin } = this.#request
    if (accepted.token === this.#token && accepted.origin === origin) return
    tokens.acceptAccessToken(this.#token, origin)
    accepted.token = this.#token
    accepted.origin = origin
  }

  async redirected(method: string, url: URL): Promise<Readonly<Record<string, string>> | undefined> {
    const { tokens, client } = this.#context
    if (!this.#context.mayReceiveToken(url)) return undefined
    return tokens.presentAccessToken(client, this.#token, { method, url, proofClaims: this.#request.proofClaims })
  }

  async next(response: ApiResponse, replayable: boolean): Promise<RequestAuthorization | undefined> {
    const { status } = response
    if (this.isAnswer(status)) return undefined
    const isBound = this.followsRedirects
    const { href, origin } = this.#request
    const answeredAt = response.url || href
    // A transport of the user may say what it likes.
    if (!URL.canParse(answeredAt)) return undefined
    const respondedBy = new URL(answeredAt)
    // A response of an origin that did not get the token says nothing about the token.
    if (isBound ? !this.#context.mayReceiveToken(respondedBy) : respondedBy.origin !== origin) return undefined
    try {
      const nonce = isBound ? response.headers.get('dpop-nonce') : null
      const challenge = nonce ? await this.#handleNonceChallenge(response, respondedBy, nonce, replayable) : undefined
      const again = challenge?.isChallenge
        ? challenge.again
        : await this.#handleRefusal(response, respondedBy.origin, replayable)
      // Nobody waits for the rest of a response that is dropped: it may never end.
      if (again) void response.discard?.()
      return again
    } catch {
      signalOf(this.#request)?.throwIfAborted()
      return undefined
    }
  }

  /** A 401 that only asks for a DPoP nonce says nothing about the token (RFC 9449 §9). */
  async #handleNonceChallenge(response: ApiResponse, respondedBy: URL, nonce: string, replayable: boolean) {
    const { tokens, client } = this.#context
    const isChallenge = response.status === 401 && isNonceChallenge(response)
    const willRetry = isChallenge && !this.#resent.withNonce && replayable
    await tokens.rememberNonce(client, { url: respondedBy, nonce, willRetry })
    if (!willRetry) return { isChallenge, again: undefined }
    const again = await authorizationOf(this.#context, this.#request, this.#token, { ...this.#resent, withNonce: true })
    return { isChallenge, again }
  }

  async #handleRefusal({ status, headers }: ApiResponse, origin: string, replayable: boolean) {
    if (status !== 401 && !(status === 403 && this.#context.stepUps)) return undefined
    const challenge = readApiChallenge(headers.get('www-authenticate'))
    const demandedBy = status === 403 ? 'insufficient_scope' : 'insufficient_user_authentication'
    const mayRetry = replayable && (status === 403 || this.#request.retryOn401)
    const again = challenge.reason === demandedBy ? await this.#stepUp(challenge, origin, mayRetry) : undefined
    return again ?? (status === 401 ? this.#handleRejection(challenge, origin, replayable) : undefined)
  }

  /** The API demands more of the token, and the options allow that. */
  async #stepUp(challenge: ApiChallenge, origin: string, mayRetry: boolean) {
    const { tokens, client, stepUps } = this.#context
    const request = this.#request
    const { parameters } = request
    if (!stepUps || this.#resent.withStepUp) return undefined
    const kind = { method: request.method, origin: request.origin, base: request.base }
    const demand = stepUps.demand(kind, challenge, parameters, this.#token.scope)
    if (demand.state === 'none') return undefined
    const isAllowed = demand.state === 'allowed'
    const { reason } = challenge
    if (reason && (isAllowed || demand.isNew)) tokens.reportStepUp?.(client, { origin, reason, isAllowed })
    if (!isAllowed || !mayRetry) return undefined
    try {
      const options = { ...demand.parameters, forceRenewal: false, signal: signalOf(request) }
      const token = await tokens.getAccessToken(client, options)
      const steppedUp = { ...request, parameters: demand.parameters }
      return await authorizationOf(this.#context, steppedUp, token, { ...this.#resent, withStepUp: true })
    } catch (error) {
      signalOf(request)?.throwIfAborted()
      stepUps.forget(kind)
      throw error
    }
  }

  /** The API may use another authorization server now (RFC 9728 §5). */
  async #followMetadata(challenge: ApiChallenge, origin: string): Promise<void> {
    const { tokens, client } = this.#context
    const named = challenge.get('resource_metadata')
    if (named === undefined || !URL.canParse(named)) return
    const url = new URL(named)
    if (url.origin !== origin) return
    const reading = tokens.followResourceMetadata?.(client, url)
    if (reading) await untilAborted(reading, signalOf(this.#request))
  }

  async #handleRejection(
    challenge: ApiChallenge,
    origin: string,
    replayable: boolean,
  ): Promise<RequestAuthorization | undefined> {
    const { tokens, client, answersClaims } = this.#context
    const { parameters, retryOn401 } = this.#request
    const token = this.#token
    if (this.#resent.withNewToken) {
      tokens.reportRejectedRetry(token, origin)
      return undefined
    }
    const { reason } = challenge
    const claims = reason === 'insufficient_claims' && answersClaims ? readClaims(challenge.get('claims')) : undefined
    const rejection = { reason, claims }
    const willRenew = await tokens.rejectAccessToken(client, token, parameters ?? {}, origin, rejection)
    const following = willRenew ? this.#followMetadata(challenge, origin) : undefined
    if (!retryOn401 || !replayable) {
      // The caller need not wait for what only later requests need.
      following?.catch(() => {})
      return undefined
    }
    await following
    if (!willRenew) return undefined
    // Without `forceRenewal`: the rejected token is replaced anyway, and another caller may have a newer one.
    const replaced = { forceRenewal: false, insteadOf: token, signal: signalOf(this.#request) }
    const renewed = await tokens.getAccessToken(client, { ...parameters, ...replaced })
    // The token endpoint fails: the rejected token stays in use, because other APIs may still accept it.
    if (renewed.value === token.value) return undefined
    return authorizationOf(this.#context, this.#request, renewed, { ...this.#resent, withNewToken: true })
  }
}

function isNonceChallenge({ headers }: ApiResponse): boolean {
  return /\buse_dpop_nonce\b/.test(headers.get('www-authenticate') ?? '')
}
