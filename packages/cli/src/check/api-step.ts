import { type AccessToken, ConfigurationError, OriginNotAllowedError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import type { CheckStep } from '../check-report'
import type { ReadyClient } from '../definition/client-definition'
import { tlsFetch } from '../definition/transport'
import type { CheckedClient } from './acquire-token'
import { type Challenge, readChallenge } from './challenge'
import type { CheckContext } from './context'
import { audienceOf, readJwt, scopesOf } from './jwt'
import { codeOf } from './probe'
import { serverSteps } from './server-steps'
import { type Explanation, failed, passed } from './step'

/** Calls the API with the token, by GET, and says what its response means. The body is not read: it may be anything. */
export async function* apiSteps(
  context: CheckContext,
  client: ReadyClient,
  tokens: CheckedClient,
  token: AccessToken,
): AsyncGenerator<CheckStep> {
  const { settings, text, environment } = context
  const url = new URL(String(settings.api))
  const details = { url: text.url(url.href) }
  const isOwnTls = Object.keys(client.tls).length > 0
  try {
    const api = createFetch(tokens, 'client', {
      allowedOrigins: [url.origin],
      // The token is new, so another one would not help.
      retryOn401: false,
      ...(isOwnTls && { fetch: tlsFetch(client.tls) }),
    })
    const signal = AbortSignal.timeout(client.timeoutMs)
    const response = await api(url, { redirect: 'manual', signal })
    response.body?.cancel().catch(() => {})
    yield responded(context, url, response, token)
  } catch (error) {
    if (error instanceof ConfigurationError || error instanceof OriginNotAllowedError) {
      yield failed('api', forbidden(url, error), details)
      return
    }
    for await (const step of serverSteps(url, client, environment)) {
      if (step.status !== 'failed') continue
      // One step for the API, so that its failures have one exit code.
      yield { ...step, step: 'api' }
      return
    }
    yield failed('api', unreachable(error, client), details)
  }
}

function responded(context: CheckContext, url: URL, response: Response, token: AccessToken): CheckStep {
  const { text } = context
  const { status, headers } = response
  const challenge = readChallenge(headers.get('www-authenticate'))
  const shown = challenge && (text.value(challenge) as Challenge)
  const location = headers.get('location')
  const details = {
    url: text.url(url.href),
    status,
    ...(shown && { wwwAuthenticate: shown }),
    ...(location !== null && { location: text.url(location) }),
  }
  if (status === 401) return failed('api', explain401(context, token, shown), details)
  if (status === 403) return failed('api', explain403(context, token, shown), details)
  const summary = `the API responds ${status}`
  if (status < 300) return passed('api', `${summary}: it accepts the token`, details)
  const warning =
    status < 400
      ? `It redirects${location === null ? '' : ` to ${details.location}`}. A redirect to a login page means that it expects a browser, not a token.`
      : status === 404
        ? 'The token may be fine, but there is nothing at this path: check the URL.'
        : status < 500
          ? 'The token seems to be fine, but the API wants another request: the check sends a plain GET.'
          : 'The API has a fault of its own. Whether it accepts the token is not known.'
  return passed('api', summary, details, [warning])
}

function explain401(
  { text, settings }: CheckContext,
  token: AccessToken,
  challenge: Challenge | undefined,
): Explanation {
  const read = readJwt(token.value)
  const said = challenge?.error === undefined ? '' : `: ${challenge.error}`
  const summary = `the API responds 401${said}${challenge?.description ? ` (${challenge.description})` : ''}`
  if (token.type === 'Bearer' && challenge?.scheme.toLowerCase() === 'dpop') {
    return {
      error: challenge.error ?? '401',
      summary,
      meaning: 'The API accepts only tokens that are bound to a key (DPoP), and this one is a Bearer token.',
      remedies: ['Request a DPoP token: --dpop here, dpop: true in the definition of your worker.'],
    }
  }
  const remedies: string[] = []
  if (read.format === 'jwt') {
    const audience = audienceOf(read.claims)
      .map((each) => `'${text.quote(each)}'`)
      .join(', ')
    remedies.push(
      `The audience of the token is ${audience || 'missing'}. If the API expects another one, request it: --resource or --audience, or a scope of that API.`,
    )
    if (read.claims.iss !== undefined)
      remedies.push(`The API has to trust the issuer '${text.quote(String(read.claims.iss))}', letter by letter.`)
    remedies.push(
      `It has to find the key '${text.quote(String(read.header.kid))}' in the keys of that issuer (jwks_uri).`,
    )
  } else {
    remedies.push(
      'The token is opaque: the API has to ask the authorization server about it (introspection, RFC 7662).',
    )
    if (!settings.resource && !settings.audience)
      remedies.push('Some servers issue a JWT for an API only when it is named: --audience or --resource.')
  }
  if (challenge === undefined)
    remedies.push(
      'The API does not say why (no WWW-Authenticate): look into its logs. It may want another kind of credential, such as an API key.',
    )
  remedies.push('Compare the clock of the API with the times in the token (iat, nbf, exp).')
  return {
    error: challenge?.error ?? '401',
    summary,
    meaning:
      'The API does not accept this token, although it is new: it is meant for another API, or the API does not trust its issuer.',
    remedies,
  }
}

function explain403({ text }: CheckContext, token: AccessToken, challenge: Challenge | undefined): Explanation {
  const read = readJwt(token.value)
  const said = challenge?.error === undefined ? '' : `: ${challenge.error}`
  const has = (read.format === 'jwt' ? scopesOf(read.claims) : undefined) ?? token.scope?.split(' ') ?? []
  const shown = has.map((each) => `'${text.quote(each)}'`).join(', ')
  return {
    error: challenge?.error ?? '403',
    summary: `the API responds 403${said}`,
    meaning: 'The API accepts the token, but the token does not permit this request.',
    remedies: [
      challenge?.scope
        ? `The API wants the scope '${challenge.scope}': request it with --scope, and allow it for this client.`
        : `The token has ${shown ? `the scope ${shown}` : 'no scope'}. Request the one that the API wants (--scope), and allow it for this client.`,
      'Some APIs look at roles or groups instead: assign them to the client at the authorization server.',
    ],
  }
}

function forbidden(url: URL, error: ConfigurationError | OriginNotAllowedError): Explanation {
  return {
    error: error.code,
    summary: `no token is sent to ${url.origin}: plain http would show it to the network`,
    meaning: 'Whoever reads a token on the way can use it.',
    remedies: ['Use https.', 'In a network that you trust: --allow-insecure-requests'],
  }
}

function unreachable(error: unknown, { timeoutMs }: ReadyClient): Explanation {
  if ((error as { name?: unknown })?.name === 'TimeoutError') {
    return {
      error: 'timeout',
      summary: `the API did not respond within ${timeoutMs} ms`,
      meaning: 'The connection was made, but no response came.',
      remedies: ['Try again.', 'A slow API needs a longer time limit: --timeout-ms'],
    }
  }
  const code = codeOf((error as { cause?: unknown })?.cause)
  return {
    error: code,
    summary: `the request to the API failed (${code})`,
    meaning: 'The connection ended before a response came.',
    remedies: ['Look into the logs of the API, and of what stands before it.'],
  }
}
