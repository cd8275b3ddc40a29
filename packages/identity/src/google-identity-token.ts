import type { HttpIdentityTokenOptions, IdentityTokenSupplier } from './identity-token'
import { ask, localTransport, shown, timeOf } from './internal/ask'
import { attempt } from './internal/attempt'
import { checkedToken } from './internal/checked-token'
import { checkOptions } from './internal/options'

/** Options of {@link googleIdentityToken}. */
export interface GoogleIdentityTokenOptions extends HttpIdentityTokenOptions {
  /** The audience of the token. Default: the authorization server's issuer, or what a preset passes. */
  audience?: string | undefined
  /** The service account: its e-mail address. Default: the one that is attached to the workload. */
  serviceAccount?: string | undefined
  /** `full`: the claims also say which instance and project it is. Default `full`. */
  claims?: 'standard' | 'full' | undefined
}

const FLAVOR = 'metadata-flavor'

/**
 * The identity token of a service account, from the metadata server of Compute Engine, GKE, Cloud Run and Cloud Functions.
 * `GCE_METADATA_HOST` replaces its host, as for Google's own libraries. By default no proxy is used.
 *
 * https://cloud.google.com/compute/docs/instances/verifying-instance-identity
 *
 * @example
 * ```ts
 * clientAssertion: googleIdentityToken({ audience: 'https://login.company.com' })
 * ```
 */
export function googleIdentityToken(options: GoogleIdentityTokenOptions = {}): IdentityTokenSupplier {
  checkOptions('googleIdentityToken', options, {
    audience: 'text',
    serviceAccount: 'text',
    claims: 'text',
    fetch: 'function',
  })
  const { serviceAccount = 'default', claims = 'full' } = options
  return (context) =>
    attempt('Google Cloud', options, context, async (current) => {
      const base = `http://${current.variable('GCE_METADATA_HOST') ?? 'metadata.google.internal'}`
      if (!URL.canParse(base)) throw current.error('invalid_response', 'GCE_METADATA_HOST is no host')
      const path = `/computeMetadata/v1/instance/service-accounts/${encodeURIComponent(serviceAccount)}/identity`
      const url = new URL(path, base)
      url.searchParams.set('audience', options.audience ?? context.audience)
      url.searchParams.set('format', claims)
      const source = `the response of ${shown(url)}`
      const response = await ask(
        current,
        localTransport(options.fetch),
        { url, headers: { [FLAVOR]: 'Google' } },
        {
          unreachable: 'not running on Google Cloud, or the metadata server is not reachable',
          hints: { 404: 'the workload may have no such service account' },
          check: ({ headers }) =>
            headers.get(FLAVOR) === 'Google'
              ? undefined
              : `${source} has no Metadata-Flavor: Google, so it is from elsewhere`,
        },
      )
      return checkedToken(current, response.body, { source, now: timeOf(response) })
    })
}
