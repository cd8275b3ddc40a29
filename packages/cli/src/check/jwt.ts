/** What a JWT says, without its signature. It has not been verified: only the API that it is for can do that. */
export interface ReadJwt {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/**
 * `opaque`: it says nothing to a client. `encrypted`: a JWT that only its API can read. `unsigned`: a JWT whose claims are all
 * of it, so that they must not be shown.
 */
export type ReadToken =
  | ({ readonly format: 'jwt' } & ReadJwt)
  | { readonly format: 'opaque' | 'encrypted' | 'unsigned' }

export function readJwt(token: string): ReadToken {
  const parts = token.split('.')
  const header = parsePart(parts[0])
  if (header === undefined || typeof header.alg !== 'string') return { format: 'opaque' }
  if (parts.length === 5) return { format: 'encrypted' }
  const claims = parsePart(parts[1])
  if (parts.length !== 3 || claims === undefined) return { format: 'opaque' }
  if (parts[2] === '' || header.alg.toLowerCase() === 'none') return { format: 'unsigned' }
  return { format: 'jwt', header, claims }
}

function parsePart(part = ''): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}

/** The audience of a JWT: `aud` is a string or a list. */
export function audienceOf({ aud }: Readonly<Record<string, unknown>>): string[] {
  return (Array.isArray(aud) ? aud : [aud]).filter((each) => typeof each === 'string')
}

/** The scopes of a JWT: `scope` or, at Microsoft Entra and Okta, `scp`. Undefined when it has neither. */
export function scopesOf({ scope, scp }: Readonly<Record<string, unknown>>): string[] | undefined {
  const value = scope ?? scp
  if (Array.isArray(value)) return value.filter((each) => typeof each === 'string')
  return typeof value === 'string' ? words(value) : undefined
}

export function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
