import type {
  AuthorizedCallOptions,
  AuthorizedClientOptions,
  OutgoingRequest,
  RequestTokenParameters,
} from './authorized-client-options'
import { ConfigurationError, OriginNotAllowedError } from './errors'
import { BearerHeaders } from './internal/util/authorization-header'
import { type AllowedOrigin, CheckedOrigins, checkDestinations } from './internal/util/destinations'
import { type AuthorizedRequest, authorizationOf, signalOf } from './internal/util/request-authorization'
import { describe, ResolvedHrefs, resolve } from './internal/util/request-url'
import { StepUps } from './internal/util/step-ups'
import { snapshotParameters } from './internal/util/token-parameters'
import type { RequestAuthorization, RequestToAuthorize } from './request-authorization'
import type { TokenManager } from './token-manager'
import type { TokenParameters } from './token-parameters'

/** Decides, for one client and its APIs, where tokens go and what a 401 means. Every adapter is built on it. */
export interface RequestAuthorizer {
  /**
   * The URL of a request, as a new object: `input` itself when it is absolute, else joined to `baseURL` as ofetch and axios
   * do.
   *
   * @throws ConfigurationError when `input` is relative and there is no `baseURL`
   */
  resolve(input: string | URL): URL
  /** The text of the URL that {@link resolve} returns. Costs less, because it does not parse a URL that is in its normal form already. */
  resolveHref(input: string | URL): string
  /**
   * What `request` has to be sent with.
   *
   * @throws OriginNotAllowedError when no token may go there; no token was requested then
   * @throws TokenRequestError when no token can be had
   */
  authorize(request: RequestToAuthorize, options?: AuthorizeOptions): Promise<RequestAuthorization>
  /**
   * Does what {@link authorize} does, and returns at once what the request has to be sent with when nothing has to be waited for: this
   * process holds a good Bearer token. It may throw at once, too.
   */
  begin(request: RequestToAuthorize, options?: AuthorizeOptions): RequestAuthorization | Promise<RequestAuthorization>
}

type AuthorizeOptions = AuthorizedCallOptions & {
  /** Detaches the caller. A function is called when there is something to wait for. */
  signal?: AbortSignal | (() => AbortSignal) | undefined
}

/**
 * Makes the request authorizer of one client.
 *
 * @throws ConfigurationError when `tokens` is no token manager, when neither `baseURL` nor `allowedOrigins` says where
 * tokens may go, or when tokens would travel by plain http
 */
export function createRequestAuthorizer<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  options: AuthorizedClientOptions,
): RequestAuthorizer {
  const { base, allowedOrigins, stepUp } = checkDestinations(tokens, client, options)
  const origins = new CheckedOrigins(allowedOrigins)
  const defaults = snapshotDefaults(client, options)
  const hrefs = new ResolvedHrefs(client, base, origins)
  const stepUps = stepUp && new StepUps(stepUp)
  const context = {
    tokens: tokens as TokenManager,
    client,
    bearerHeaders: new BearerHeaders(),
    answersClaims: options.claimsChallenges ?? true,
    stepUps,
    mayReceiveToken,
    accepted: { token: undefined, origin: '' },
  }

  function mayReceiveToken(url: URL): boolean {
    const allowed = origins.allowed(url)
    return allowed !== undefined && (!allowed.isInClear || tokens.allowsInsecureRequests(client) === true)
  }

  /** A URL as it is sent, and the origin that tokens may go to. */
  function checked(given: string | URL): { href: string; allowed: AllowedOrigin } {
    const text = typeof given === 'string' ? given : given.href
    const asIs = origins.allowedAsIs(text)
    if (asIs) return { href: text, allowed: asIs }
    const url = new URL(text)
    const allowed = origins.allowed(url)
    if (!allowed) throw new OriginNotAllowedError(describe(url), [...allowedOrigins])
    return { href: url.href, allowed }
  }

  /** The token, if there is nothing to wait for. Not when `getAccessToken` was replaced, by a test for example: it has to be called. */
  function readyToken(parameters: TokenParameters | undefined, signal: AuthorizeOptions['signal']) {
    if (
      (typeof signal === 'object' && signal.aborted) ||
      (Object.hasOwn(tokens, 'getAccessToken') && !Object.hasOwn(tokens, 'readyAccessToken'))
    )
      return undefined
    return tokens.readyAccessToken?.(client, parameters)
  }

  function begin(
    request: RequestToAuthorize,
    call: AuthorizeOptions = {},
  ): RequestAuthorization | Promise<RequestAuthorization> {
    // Everything that belongs to the caller is read before the first wait, because the caller may change it meanwhile.
    const { method } = request
    const { href, allowed } = checked(request.url)
    const source = snapshotSource(call.tokenParameters) ?? defaults.tokenParameters
    const outgoing =
      typeof source === 'function' ? { method, url: new URL(href), headers: request.headers() } : undefined
    const fixed = typeof source === 'function' ? undefined : source
    const authorized: AuthorizedRequest = {
      method,
      href,
      origin: allowed.origin,
      proofClaims: call.proofClaims === undefined ? defaults.proofClaims : snapshotClaims(client, call.proofClaims),
      retryOn401: call.retryOn401 === undefined ? defaults.retryOn401 : call.retryOn401,
      base: fixed,
      parameters: stepUps ? stepUps.parametersOf({ method, origin: allowed.origin, base: fixed }) : fixed,
      signal: call.signal,
    }
    const ready = allowed.isInClear || outgoing ? undefined : readyToken(authorized.parameters, call.signal)
    if (ready) return authorizationOf(context, authorized, ready)
    return wait(authorized, allowed.isInClear, outgoing && (() => computed(source, outgoing, signalOf(authorized))))
  }

  async function wait(
    request: AuthorizedRequest,
    isInClear: boolean,
    compute: (() => Promise<TokenParameters>) | undefined,
  ): Promise<RequestAuthorization> {
    // Only a definition that is loaded late can still forbid plain http.
    if (isInClear) {
      await tokens.waitFor({ client, step: 'definition', signal: signalOf(request), run() {} })
      if (!mayReceiveToken(new URL(request.href)))
        throw new OriginNotAllowedError(request.origin, [...allowedOrigins], 'plain http')
    }
    const base = compute ? await compute() : request.base
    const kind = { method: request.method, origin: request.origin, base }
    const parameters = stepUps ? stepUps.parametersOf(kind) : base
    const get = (wanted: TokenParameters | undefined) =>
      tokens.getAccessToken(client, { ...wanted, signal: signalOf(request) })
    try {
      return await authorizationOf(context, { ...request, base, parameters }, await get(parameters))
    } catch (error) {
      signalOf(request)?.throwIfAborted()
      if (parameters === base) throw error
      // What the API once demanded cannot be had any more. It may accept the ordinary token.
      stepUps?.forget(kind)
      return authorizationOf(context, { ...request, base, parameters: base }, await get(base))
    }
  }

  async function computed(
    source: RequestTokenParameters | undefined,
    request: OutgoingRequest | undefined,
    signal: AbortSignal | undefined,
  ): Promise<TokenParameters> {
    if (typeof source !== 'function' || !request) return {}
    return snapshotParameters(
      await tokens.waitFor({ client, step: 'tokenParameters', signal, run: () => source(request) }),
    )
  }

  return Object.freeze({
    resolve: (input: string | URL) => resolve(client, input, base),
    resolveHref: (input: string | URL) => hrefs.of(input),
    // The caller may change its URL object later.
    authorize: async (request: RequestToAuthorize, call?: AuthorizeOptions) =>
      begin({ method: request.method, url: String(request.url), headers: () => request.headers() }, call),
    begin,
  })
}

/** The options of an HTTP client for its calls, as they are now: what the caller does with its object later changes no request. */
function snapshotDefaults(client: string, { tokenParameters, retryOn401 = true, proofClaims }: AuthorizedCallOptions) {
  return {
    tokenParameters: snapshotSource(tokenParameters),
    retryOn401,
    proofClaims: snapshotClaims(client, proofClaims),
  }
}

/** A function is called for each request. */
function snapshotSource(source: RequestTokenParameters | undefined): RequestTokenParameters | undefined {
  if (source === undefined || source === null) return undefined
  return typeof source === 'function' ? source : snapshotParameters(source)
}

/** What a proof would say now. */
function snapshotClaims(client: string, claims: AuthorizedCallOptions['proofClaims']): typeof claims {
  if (claims === undefined) return undefined
  try {
    return JSON.parse(JSON.stringify(claims))
  } catch {
    throw new ConfigurationError([
      { client, option: 'proofClaims', message: 'must be an object that JSON can express' },
    ])
  }
}
