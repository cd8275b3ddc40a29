import { isRefreshToken } from '../util/refresh-token-syntax'
import { parseObject } from './store-entry'

/** How a credential is written into a store. */
interface KeptEntry {
  readonly v: 1
  /** The key it was stored under. An entry that was moved to another key is not valid. */
  readonly key: string
  readonly credential: string
}

export function writeKeptEntry(key: string, credential: string): string {
  return JSON.stringify({ v: 1, key, credential } satisfies KeptEntry)
}

/** The credential of an entry. Undefined when the text is no entry of this key. */
export function readKeptEntry(key: string, text: unknown): string | undefined {
  const entry = parseObject<KeptEntry>(text)
  if (entry?.v !== 1 || entry.key !== key || !isRefreshToken(entry.credential)) return undefined
  return entry.credential
}
