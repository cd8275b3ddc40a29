import type { AccessToken } from '../../access-token'
import { ConfigurationError } from '../../errors'

/**
 * The `Authorization` header that presents a token.
 *
 * @throws ConfigurationError for a token of type `N_A`, which is not for APIs (RFC 8693 §2.2.1)
 */
export function authorizationHeader({ client, type, value }: AccessToken): string {
  // Joined, not a template: V8 keeps that as a tree of strings, which takes longer to check and to send each time.
  if (type !== 'N_A') return [type, value].join(' ')
  const message = 'gets tokens of the type N_A, which cannot be presented to an API (RFC 8693 §2.2.1)'
  throw new ConfigurationError([{ client, option: 'requester', message }])
}

/** The headers of requests with a Bearer token. Remembers those of the last token, which the next request has, too. */
export class BearerHeaders {
  #token: AccessToken | undefined
  #headers: Readonly<Record<string, string>> = {}

  of(token: AccessToken): Readonly<Record<string, string>> {
    if (token !== this.#token) {
      this.#headers = Object.freeze({ authorization: authorizationHeader(token) })
      this.#token = token
    }
    return this.#headers
  }
}
