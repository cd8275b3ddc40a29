import type { Attempt } from './attempt'

/** The most characters that a token may have. */
export const MOST_CHARACTERS = 65_536
/** How far the clocks of this machine and of the platform may differ. */
const LEEWAY_MS = 60_000

const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** The characters of an access token (RFC 6749 Appendix A.12), without the space. */
const OPAQUE = /^[\x21-\x7e]+$/

/** `jwt`: three parts and claims, not expired. `opaque`: any text without spaces. */
export type TokenFormat = 'jwt' | 'opaque'

export interface TokenChecks {
  /** Where the token is from, for messages: `the file '/var/token'`. */
  readonly source: string
  readonly format?: TokenFormat | undefined
  /** The time at the platform, in milliseconds since 1970. Default: this machine's. */
  readonly now?: number | undefined
}

/** The token that `text` is. @throws IdentityError when it is none, or has expired. */
export function checkedToken(attempt: Attempt, text: unknown, { source, format = 'jwt', now }: TokenChecks): string {
  const invalid = (what: string) => attempt.error('invalid_response', `${source} ${what}`)
  if (typeof text !== 'string') throw invalid('has no token')
  const token = text.trim()
  if (token === '') throw invalid('is empty')
  if (token.length > MOST_CHARACTERS) throw invalid(`is longer than ${MOST_CHARACTERS} characters`)
  if (format === 'opaque') {
    if (!OPAQUE.test(token)) throw invalid('is not one token: it has spaces or other characters that no token has')
    return token
  }
  const claims = JWT.test(token) ? claimsOf(token) : undefined
  if (!claims) throw invalid('is not a JWT')
  const { exp } = claims
  if (exp === undefined) return token
  if (typeof exp !== 'number' || !Number.isFinite(exp)) throw invalid('is a JWT whose exp is not a number')
  const ageMs = (now ?? attempt.clock.now()) - exp * 1_000
  if (ageMs <= LEEWAY_MS) return token
  throw attempt.error('expired', `${source} is a JWT that expired ${Math.round(ageMs / 1_000)} s ago`)
}

/** The claims of a JWT. Undefined: it is none. Nothing is verified: that is up to whoever receives it. */
function claimsOf(jwt: string): Readonly<Record<string, unknown>> | undefined {
  const [header = '', payload = ''] = jwt.split('.')
  const isObject = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value)
  try {
    const claims = decoded(payload)
    return isObject(decoded(header)) && isObject(claims) ? (claims as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function decoded(part: string): unknown {
  const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
  return JSON.parse(new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0))))
}
