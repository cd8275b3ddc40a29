/** One challenge of a `WWW-Authenticate` field (RFC 9110 §11.6.1). */
export interface Challenge {
  /** In lower case. */
  readonly scheme: string
  /** By their names in lower case. Of a parameter that is repeated, the first value. */
  readonly parameters: ReadonlyMap<string, string>
}

/** A longer field is not read. Claims take the most: some hundred characters. */
const LONGEST_FIELD = 16_384

const SEPARATORS = /[ \t,]*/y
const TOKEN = /[!#$%&'*+\-.^`|~\w]+/y
const EQUALS = /[ \t]*=[ \t]*/y
const TOKEN68 = /[ \t]+[\w\-.~+/]+=*[ \t]*(?=,|$)/y
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy

/**
 * The challenges of a `WWW-Authenticate` field (RFC 9110 §11.2). Reading ends at the first character that cannot stand there; what was
 * read until then is returned. The time that it takes grows with the length only.
 */
export function readChallenges(field: string | null): readonly Challenge[] {
  if (field === null || field.length > LONGEST_FIELD) return []
  const challenges: { scheme: string; parameters: Map<string, string> }[] = []
  let position = 0
  const take = (pattern: RegExp) => {
    pattern.lastIndex = position
    const match = pattern.exec(field)
    if (match) position = pattern.lastIndex
    return match
  }
  for (;;) {
    take(SEPARATORS)
    const name = take(TOKEN)?.[0].toLowerCase()
    if (name === undefined) return challenges
    if (!take(EQUALS)) {
      challenges.push({ scheme: name, parameters: new Map() })
      take(TOKEN68)
      continue
    }
    const value = take(QUOTED)?.[1]?.replace(/\\(.)/gs, '$1') ?? take(TOKEN)?.[0]
    const parameters = challenges.at(-1)?.parameters
    if (value === undefined || parameters === undefined) return challenges
    if (!parameters.has(name)) parameters.set(name, value)
  }
}
