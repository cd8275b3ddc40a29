/** A `WWW-Authenticate` header (RFC 6750 §3, RFC 9449 §7.1), as far as it concerns the token. */
export interface Challenge {
  readonly scheme: string
  readonly error?: string
  readonly description?: string
  readonly scope?: string
}

const LONGEST = 8_192

/** The challenge that names an error, or else the first one. Undefined when there is no header that can be read. */
export function readChallenge(header: string | null): Challenge | undefined {
  if (header === null || header.length > LONGEST) return undefined
  const challenges: { scheme: string; parameters: Record<string, string> }[] = []
  // A scheme is a word that no = follows; a parameter is name=value or name="value".
  for (const [, name = '', equals, quoted, plain] of header.matchAll(
    /([\w-]+)(?:(\s*=\s*)(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?/g,
  )) {
    const last = challenges.at(-1)
    if (equals === undefined) challenges.push({ scheme: name, parameters: {} })
    else if (last) last.parameters[name.toLowerCase()] = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
  }
  const chosen = challenges.find(({ parameters }) => parameters.error !== undefined) ?? challenges[0]
  if (!chosen) return undefined
  const { error, error_description: description, scope } = chosen.parameters
  return {
    scheme: chosen.scheme,
    ...(error !== undefined && { error }),
    ...(description !== undefined && { description }),
    ...(scope !== undefined && { scope }),
  }
}
