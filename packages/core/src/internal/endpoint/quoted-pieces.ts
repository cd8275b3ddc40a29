/** So many characters of a secret in a row are redacted: fewer tell little, and may stand in a text by chance. */
const PIECE_LENGTH = 8

/** Where `text` quotes a part of one of `secrets`, such as its beginning. The time grows with the sum of the lengths only. */
export function quotedPieces(text: string, secrets: readonly string[]): [start: number, end: number][] {
  const piecesOfText = new Set(piecesOf(text))
  const quoted = new Set<string>()
  for (const secret of secrets) {
    for (const piece of piecesOf(secret)) if (piecesOfText.has(piece)) quoted.add(piece)
  }
  if (quoted.size === 0) return []
  const ranges: [start: number, end: number][] = []
  let start = 0
  for (const piece of piecesOf(text)) {
    if (quoted.has(piece)) ranges.push([start, start + PIECE_LENGTH])
    start++
  }
  return ranges
}

function* piecesOf(text: string): Generator<string> {
  for (let start = 0; start + PIECE_LENGTH <= text.length; start++) yield text.slice(start, start + PIECE_LENGTH)
}
