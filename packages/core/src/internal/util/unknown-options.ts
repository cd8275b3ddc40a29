import type { OptionChecks } from './option-checks'

/** Reports every option that is not among `known`, with the known one that is nearest. */
export function checkUnknown(checks: OptionChecks, options: object, known: readonly string[], prefix = ''): void {
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue
    const nearest = nearestOf(option, known)
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    checks.problem(`${prefix}${option}`, `is not an option${hint}`)
  }
}

function nearestOf(word: string, candidates: readonly string[]): string | undefined {
  const close = Math.max(2, Math.floor(word.length / 3))
  const distances = candidates.map((candidate) => ({ candidate, distance: distance(word, candidate) }))
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
