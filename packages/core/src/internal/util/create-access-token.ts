import type { AccessToken } from '../../access-token'
import { hideOnPrototype } from './hidden'

/** No API accepts a header line that is longer. */
const LONGEST_TOKEN = 256 * 1024

export interface AccessTokenFields {
  readonly client: string
  readonly value: string
  readonly type: AccessToken['type']
  readonly expiresAt: Date | undefined
  readonly scope: string | undefined
}

/** All tokens share their prototypes: with prototypes of its own, each would need a kilobyte more, and more time to read. */
class HiddenValueToken implements AccessToken {
  readonly #value: string
  // From the prototype, see below.
  declare readonly value: string
  readonly client: string
  readonly type: AccessToken['type']
  readonly expiresAt: Date | undefined
  readonly scope: string | undefined

  constructor({ client, value, type, expiresAt, scope }: AccessTokenFields) {
    this.#value = value
    this.client = client
    this.type = type
    this.expiresAt = expiresAt
    this.scope = scope
    Object.freeze(this)
  }

  static {
    const get = function get(this: HiddenValueToken) {
      return this.#value
    }
    hideOnPrototype(HiddenValueToken, { value: { get } })
  }
}

export function createAccessToken(fields: AccessTokenFields): AccessToken {
  return new HiddenValueToken(fields)
}

/** Whether the value can be sent in an `Authorization` header. */
export function isTokenValue(value: unknown): value is string {
  return typeof value === 'string' && value.length <= LONGEST_TOKEN && /^[\x21-\x7e]+$/.test(value)
}
