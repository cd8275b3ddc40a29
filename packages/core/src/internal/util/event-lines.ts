import type { TokenRequestError } from '../../errors'
import type { Logger, TokenEvents } from '../../events'

type Line = readonly [level: keyof Logger, text: string]
/** Uses are counted, and not logged. */
export type LoggedEvent = Exclude<keyof TokenEvents, 'tokenUsed'>

/**
 * What is written to the log about an event. A healthy process logs nothing above `debug`. A change of state is logged once, as
 * `warn` or `error` when it is bad, and as `info` when it is good. What happens for each call, or for each request, is `debug`.
 */
const LINES: { readonly [Name in LoggedEvent]: (event: TokenEvents[Name]) => Line } = {
  tokenRetrieved: ({ client, source, reason, durationMs, expiresAt }) => [
    'debug',
    `client '${client}': got a token from the ${source} in ${Math.round(durationMs)} ms (${reason}). It expires at ${time(expiresAt)}.`,
  ],
  tokenRequestFailed: ({ client, error, attempt, willRetry }) => [
    'debug',
    `client '${client}': token request ${attempt} failed: ${cause(error)}. ${willRetry ? 'It is sent again.' : 'It is not sent again for this call.'}`,
  ],
  renewalStarted: ({ client }) => [
    'debug',
    `client '${client}': the token is renewed in the background. Calls use the current one.`,
  ],
  renewalFailed: ({ client, error, expiresAt, isFirst }) => [
    isFirst ? 'warn' : 'debug',
    `client '${client}': the token could not be renewed: ${cause(error)}. Calls use the current token until it expires at ${time(expiresAt)}. The renewal is tried again.${advice(error)}`,
  ],
  tokenUnavailable: ({ client, error, isFirst }) => [
    isFirst ? 'error' : 'debug',
    `client '${client}': there is no valid token, and calls fail: ${cause(error)}. ${error.retryable ? 'It is tried again.' : 'It is tried again after pauses of up to 30 s.'}${advice(error)}`,
  ],
  tokenRecovered: ({ client, failedForMs, isLast }) => [
    isLast ? 'info' : 'debug',
    `client '${client}': gets new tokens again, after ${duration(failedForMs)}. Nothing needs to be done.`,
  ],
  tokenRejected: ({ client, origin, reason, willRenew, isRepeated }) => [
    willRenew && !isRepeated ? 'info' : 'debug',
    `client '${client}': ${origin ?? 'an API'} rejected the token (401${reason === undefined ? '' : `, ${reason}`}). ${willRenew ? 'A new token is requested.' : 'The token stays in use, because new tokens were rejected shortly before.'}`,
  ],
  newTokenRejected: ({ client, origin }) => [
    'warn',
    `client '${client}': ${origin ?? 'an API'} rejects new tokens (401), so another one does not help, and only a few more are requested. Compare the token with what the API expects: audience (or resource), scope and issuer. Check the clocks of the API and of the authorization server.`,
  ],
  tokenAccepted: ({ client, origin }) => ['info', `client '${client}': ${origin} accepts the client's tokens again.`],
  stepUpDemanded: ({ client, origin, reason, isAllowed }) => [
    isAllowed ? 'info' : 'warn',
    `client '${client}': ${origin} demands more of the token (${reason}). ${isAllowed ? 'Such a token is requested.' : 'The option stepUp does not allow it, so its response goes to the caller. WWW-Authenticate says what it demands.'}`,
  ],
  nonceRetried: ({ client, at }) => [
    'debug',
    `client '${client}': the ${at === 'api' ? 'API' : 'token endpoint'} demanded a DPoP nonce. The request is sent once more.`,
  ],
  secretRotated: ({ client, index }) => [
    index === 0 ? 'info' : 'warn',
    index === 0
      ? `client '${client}': the client secret was rotated. The token endpoint accepts the new one.`
      : `client '${client}': the token endpoint does not accept the first client secret. Token requests use secret ${index + 1} of the list, and the first one again every 5 minutes. Register the first one at the authorization server before you remove the others there.`,
  ],
  circuitOpened: ({ client, endpoint, error, retryAfterMs, wasOpen }) => [
    wasOpen ? 'debug' : 'warn',
    `client '${client}': the token endpoint ${endpoint} fails: ${cause(error, endpoint)}. One request at a time tests it, the next one in ${duration(retryAfterMs)}. Until it works, calls with a valid token go on, and others fail at once.${advice(error)}`,
  ],
  circuitHalfOpened: ({ client, endpoint }) => [
    'debug',
    `client '${client}': a request tests whether the token endpoint ${endpoint} works again.`,
  ],
  circuitClosed: ({ client, endpoint, failedForMs }) => [
    'info',
    `client '${client}': the token endpoint ${endpoint} works again, after ${duration(failedForMs)}. Nothing needs to be done.`,
  ],
  leaseAwaited: ({ client }) => [
    'debug',
    `client '${client}': another process renews the token. This one waits for it.`,
  ],
  leaseTakenOver: ({ client, waitedMs }) => [
    'debug',
    `client '${client}': the process that was to renew the token did not, in ${duration(waitedMs)}. This process renews it.`,
  ],
  storeFailed: ({ operation, reason }) => [
    'warn',
    `all clients: the token store failed (${operation}: ${reason}). Calls go on with the tokens of this process and the token endpoint. The store is used again as soon as it works.`,
  ],
  storeRecovered: ({ failedForMs }) => [
    'info',
    `all clients: the token store works again, after ${duration(failedForMs)}. Nothing needs to be done.`,
  ],
  callbackFailed: ({ client, reason }) => [
    'error',
    `client '${client}': the callback of keepFresh failed: ${reason}. It is called again with the next token.`,
  ],
}

/** Where to look, for failures that somebody has to mend. */
const ADVICE: Readonly<Record<string, string>> = {
  invalid_client: 'Check clientId and the secret, key or assertion of the client.',
  unauthorized_client: 'Check that the authorization server allows the client this grant.',
  invalid_scope: 'Check the scope, and that the authorization server allows it to the client.',
  invalid_target: 'Check resource and audience, and that the authorization server knows them.',
  invalid_grant: 'Check what the grant is based on, such as an assertion or a subject token.',
  invalid_request: 'Check the parameters of the definition.',
  unsupported_grant_type: 'Check that the authorization server supports the grant.',
  credential_unavailable: 'Check the supplier that the definition names.',
  server_error: 'The authorization server itself fails: look there.',
  network_error: 'Check the host name, the network and the proxy between this process and the endpoint.',
  timeout: 'Check the network and the proxy between this process and the endpoint, and how busy the endpoint is.',
  invalid_response: 'Check the URL: something responds there that is not a token endpoint, or is a broken one.',
}

/** The level and the text of an event. */
export function eventLine<Name extends LoggedEvent>(name: Name, event: TokenEvents[Name]): Line {
  return LINES[name](event)
}

/** @param known a URL that the line names already */
function cause({ error, errorDescription, url }: TokenRequestError, known?: string): string {
  const description = errorDescription === undefined ? '' : ` (${errorDescription})`
  return `${error}${description}${url === undefined || url === known ? '' : `, ${url}`}`
}

function advice({ error }: TokenRequestError): string {
  return Object.hasOwn(ADVICE, error) ? ` ${ADVICE[error]}` : ''
}

export function time(date: Date): string {
  return Number.isNaN(date.getTime()) ? 'an unknown time' : date.toISOString()
}

function duration(ms: number): string {
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${Math.round(ms / 100) / 10} s`
}
