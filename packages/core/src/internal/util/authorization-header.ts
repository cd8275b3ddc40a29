import type { AccessToken } from '../../access-token'
import { ConfigurationError } from '../../errors'

/**
 * The `Authorization` header that presents a token.
 *
 * @throws ConfigurationError for a token of type `N_A`, which is not for APIs (RFC 8693 §2.2.1)
 */
export function authorizationHeader({ client, type, value }: AccessToken): string {
  if (type !== 'N_A') return `${type} ${value}`
  const message = 'gets tokens of the type N_A, which cannot be presented to an API (RFC 8693 §2.2.1)'
  throw new ConfigurationError([{ client, option: 'requester', message }])
}
