/**
 * The one of `known` that a mistyped name was probably meant to be, for error messages. Upper and lower case do not count.
 * Undefined when none is near.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const close = Math.max(2, Math.floor(name.length / 3))
  const distances = known.map((candidate) => ({ candidate, distance: distance(name, candidate) }))
  const [nearest] = distances.sort((a, b) => a.distance - b.distance)
  return nearest && nearest.distance <= close ? nearest.candidate : undefined
}

/** How many characters have to be inserted, removed or replaced to turn one word into the other (Levenshtein). */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] ?? 0) + (a[i - 1]?.toLowerCase() === b[j - 1]?.toLowerCase() ? 0 : 1)
      row.push(Math.min(replaced, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1))
    }
    previous = row
  }
  return previous[b.length] ?? 0
}
