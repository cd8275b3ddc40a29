/** What a JWT says, unverified. The claims of an encrypted one are empty. */
export interface ReadJwt {
  readonly header: Readonly<Record<string, unknown>>
  readonly claims: Readonly<Record<string, unknown>>
}

/** Reads a JWT without checking its signature. Undefined when the text is none. */
export function readJwt(text: string): ReadJwt | undefined {
  const parts = text.split('.')
  if (parts.length !== 3 && parts.length !== 5) return undefined
  const [header, claims] = [readPart(parts[0]), parts.length === 3 ? readPart(parts[1]) : {}]
  return header && claims && { header, claims }
}

function readPart(part = ''): Record<string, unknown> | undefined {
  try {
    const binary = atob(part.replaceAll('-', '+').replaceAll('_', '/'))
    const text = new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)))
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
