import { printable } from '../util/printable'
import type { SentSecrets } from './sent-secrets'

const MOST_CHARACTERS = 300
/** A longer text is not repeated at all: what has to be taken out of it takes too long to find. */
const MOST_CHARACTERS_READ = 8_192

/** A server's words as they may stand in a log: in one line, at most 300 characters, and without a secret that they quote. */
export function presentable(text: string, secrets: SentSecrets): string {
  if (text.length > MOST_CHARACTERS_READ) return `[a text of ${text.length} characters]`
  const line = printable(secrets.redact(text))
  // A secret that holds a space may have been written with another separator.
  const shown = secrets.redact(line)
  if (shown.length <= MOST_CHARACTERS) return shown
  return `${shown.slice(0, MOST_CHARACTERS - 1).replace(/[\ud800-\udbff]$/, '')}…`
}
