import type { HttpIdentityTokenOptions, IdentityTokenSupplier } from './identity-token'
import { ask, membersOf, remoteTransport, shown, timeOf } from './internal/ask'
import { type Attempt, attempt } from './internal/attempt'
import { checkedToken } from './internal/checked-token'
import { isLoopback } from './internal/local-hosts'
import { checkOptions } from './internal/options'

/** Options of {@link githubActionsToken}. */
export interface GithubActionsTokenOptions extends HttpIdentityTokenOptions {
  /** The audience of the token. Default: the authorization server's issuer, or what a preset passes. */
  audience?: string | undefined
}

const URL_VARIABLE = 'ACTIONS_ID_TOKEN_REQUEST_URL'
const TOKEN_VARIABLE = 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'

/**
 * The OpenID Connect token of a GitHub Actions job. The job needs `permissions: id-token: write`. Each call requests a new token.
 * `fetch` is the platform's by default, so that a proxy that the runner needs is used.
 *
 * https://docs.github.com/en/actions/reference/security/oidc
 *
 * @example
 * ```ts
 * clientAssertion: githubActionsToken({ audience: 'https://login.company.com' })
 * ```
 */
export function githubActionsToken(options: GithubActionsTokenOptions = {}): IdentityTokenSupplier {
  checkOptions('githubActionsToken', options, { audience: 'text', fetch: 'function' })
  return (context) =>
    attempt('GitHub Actions', options, context, async (current) => {
      const { url, token } = requestOf(current)
      url.searchParams.set('audience', options.audience ?? context.audience)
      const headers = { authorization: `Bearer ${token}`, accept: 'application/json; api-version=2.0' }
      const hints = { 401: 'the job may have ended, or runs for too long', 403: 'the job may not request tokens' }
      const response = await ask(current, remoteTransport(options.fetch), { url, headers }, { hints })
      const { value } = membersOf(response.body)
      return checkedToken(current, value, { source: `the response of ${shown(url)}`, now: timeOf(response) })
    })
}

function requestOf(attempt: Attempt): { url: URL; token: string } {
  const given = attempt.variable(URL_VARIABLE)
  const token = attempt.variable(TOKEN_VARIABLE)
  if (given === undefined || token === undefined) {
    if (attempt.variable('GITHUB_ACTIONS') !== 'true') {
      throw attempt.elsewhere(given === undefined ? URL_VARIABLE : TOKEN_VARIABLE)
    }
    throw attempt.error('not_available', `the job has no token endpoint: give it the permission 'id-token: write'`)
  }
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (!url || (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url)))) {
    throw attempt.error('invalid_response', `environment variable ${URL_VARIABLE} is no https URL`)
  }
  return { url, token }
}
