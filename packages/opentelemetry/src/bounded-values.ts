/** OpenTelemetry's name for a value that has no name of its own. */
export const OTHER = '_OTHER'

/**
 * Limits how many values an attribute has, because each value makes a time series of its own, and some values come from servers.
 *
 * @param limit how many values pass. Later ones become `_OTHER`
 * @param known values that always pass, and that do not count
 */
export function boundedValues(limit: number, known: Iterable<string> = []): (value: string) => string {
  const passing = new Set(known)
  const size = passing.size + limit
  return (value) => {
    if (passing.size < size) passing.add(value)
    return passing.has(value) ? value : OTHER
  }
}
