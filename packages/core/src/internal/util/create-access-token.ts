import type { AccessToken } from '../../access-token'
import { withHidden } from './hidden'

/** No API accepts a header line that is longer. */
const LONGEST_TOKEN = 256 * 1024

export interface AccessTokenFields {
  readonly client: string
  readonly value: string
  readonly type: AccessToken['type']
  readonly expiresAt: Date | undefined
  readonly scope: string | undefined
}

export function createAccessToken({ value, ...shown }: AccessTokenFields): AccessToken {
  return withHidden(shown, { value })
}

/** Whether the value can be sent in an `Authorization` header. */
export function isTokenValue(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TOKEN && /^[\x21-\x7e]+$/.test(value)
}
