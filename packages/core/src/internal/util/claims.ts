/** The longest claims that are passed on, in characters of their JSON. Those of Microsoft Entra have some hundred. */
const LONGEST_CLAIMS = 4_096
const DEEPEST_CLAIMS = 8

type Members = Readonly<Record<string, unknown>>

/**
 * What a claims challenge demands of the next access token, as JSON for the `claims` parameter (OpenID Connect Core §5.5). Nothing but
 * the member `access_token` is passed on, because no other one concerns a token for an API. Undefined when the text is no base64 (or
 * base64url) of a JSON object with that member, or when it is longer or deeper than any that makes sense.
 */
export function readClaims(base64: string | undefined): string | undefined {
  if (base64 === undefined || base64.length > LONGEST_CLAIMS * 2) return undefined
  const { access_token } = parse(decode(base64)) ?? {}
  if (!isObject(access_token) || !isWithin(access_token, DEEPEST_CLAIMS)) return undefined
  const claims = JSON.stringify({ access_token })
  return claims.length <= LONGEST_CLAIMS ? claims : undefined
}

/** `given`, the claims of a definition, and those of a challenge. For a claim that both name, the definition is right. */
export function mergeClaims(given: string | undefined, demanded: string): string {
  const own = parse(given)
  if (!own) return demanded
  const { access_token } = parse(demanded) ?? {}
  return JSON.stringify({ ...own, access_token: { ...members(access_token), ...members(own.access_token) } })
}

function decode(base64: string): string | undefined {
  try {
    const binary = atob(base64.trim().replaceAll('-', '+').replaceAll('_', '/'))
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(binary, (each) => each.charCodeAt(0)))
  } catch {
    return undefined
  }
}

function parse(json: string | undefined): Members | undefined {
  try {
    const value: unknown = JSON.parse(json ?? '')
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

function members(value: unknown): Members {
  return isObject(value) ? value : {}
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return depth > 0 && Object.values(value).every((each) => isWithin(each, depth - 1))
}
