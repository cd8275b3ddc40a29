import type { TokenRequestError } from '@tokenward/core'
import { helpFor } from './help-links'
import type { Explanation } from './step'

/** The metadata of an issuer that another URL than the configured one has. */
export interface FoundIssuer {
  readonly issuer: string
}

/** What a failed discovery means. */
export function explainDiscovery(
  error: TokenRequestError,
  configured: string,
  published: string | undefined,
  found: FoundIssuer | undefined,
): Explanation | undefined {
  const help = helpFor('invalid_response')
  if (published !== undefined && published !== configured) {
    const remedies = [`Use the issuer of the metadata, if that is your server: --issuer ${published}`]
    const [given, named] = [configured, published].map((each) => (URL.canParse(each) ? new URL(each) : undefined))
    if (
      given &&
      named &&
      given.pathname.replace(/\/$/, '') === named.pathname.replace(/\/$/, '') &&
      given.host === named.host
    )
      remedies.unshift('They differ in the slash at the end only. It counts.')
    else if (given && named && isThisMachine(given.hostname) && isThisMachine(named.hostname))
      remedies.push(
        `'${given.hostname}' and '${named.hostname}' are the same machine, but two names: an issuer is compared letter by letter.`,
      )
    else
      remedies.push(
        'Behind a proxy, the server often has to be told its public address, so that its metadata names that.',
      )
    return {
      error: 'issuer_mismatch',
      summary: `the issuer of the metadata is '${published}', but the definition has '${configured}'`,
      meaning: 'The two have to be the same (RFC 8414 §3.3), or else one server could pass for another.',
      remedies,
      help,
    }
  }
  if (error.status === 404) {
    return {
      error: 'metadata_not_found',
      summary: `no metadata at ${configured} (HTTP 404)`,
      meaning:
        'An issuer publishes its metadata below its URL, and there is none: the issuer is wrong, or the server has no discovery.',
      remedies: [
        ...(found ? [`Metadata was found for the issuer '${found.issuer}': --issuer ${found.issuer}`] : []),
        'The issuer is the URL without /.well-known/… and is not the token endpoint. It often has a path, such as /realms/NAME or /TENANT/v2.0.',
        'If the server has no discovery, name the token endpoint in place of the issuer: --token-endpoint URL',
      ],
      help,
    }
  }
  return undefined
}

function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.')
}
