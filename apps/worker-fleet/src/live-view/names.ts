/** Names in a sentence: `worker-1`, `worker-1 and worker-2`, or how many. */
export function namesOf(names: readonly string[], total: number): string {
  const [first = '', second] = names
  if (names.length === total && total > 1) return `all ${total} workers`
  if (names.length > 2) return `${names.length} workers`
  return second === undefined ? first : `${first} and ${second}`
}

export function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** The form of a verb: `one` for one, `many` for more. */
export function verb(count: number, one: string, many: string): string {
  return count === 1 ? one : many
}
