import type { AccessToken } from '../../access-token'
import { createAccessToken, isTokenValue } from '../util/create-access-token'

/** How a token stands in a store. Times are the wall clock's, because processes share no other. */
interface StoreEntry {
  readonly v: 1
  /** The key it was stored under: an entry that strayed under another key is none. */
  readonly key: string
  readonly client: string
  readonly value: string
  readonly type: AccessToken['type']
  readonly scope?: string | undefined
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  readonly lifetimeMs: number
  /** The server named no lifetime; the expiry is the definition's assumption. */
  readonly assumed?: true | undefined
}

export interface StoredToken {
  readonly token: AccessToken
  readonly lifetimeMs: number
  readonly remainingMs: number
}

export function writeStoreEntry(key: string, token: AccessToken, lifetimeMs: number, expiresAt: number): string {
  const { client, value, type, scope } = token
  const assumed = token.expiresAt === undefined ? true : undefined
  return JSON.stringify({ v: 1, key, client, value, type, scope, expiresAt, lifetimeMs, assumed } satisfies StoreEntry)
}

/** The token of an entry; undefined when the text is no entry for `key`, whatever else it may be. */
export function readStoreEntry(key: string, text: unknown, now: number): StoredToken | undefined {
  const entry = parseObject<StoreEntry>(text)
  if (entry?.v !== 1 || entry.key !== key || typeof entry.client !== 'string') return undefined
  const { client, value, type, scope, expiresAt, lifetimeMs, assumed } = entry
  if (!isTokenValue(value) || (type !== 'Bearer' && type !== 'DPoP' && type !== 'N_A')) return undefined
  if (!isTime(expiresAt) || !isTime(lifetimeMs) || (scope !== undefined && typeof scope !== 'string')) return undefined
  const expiry = assumed === true ? undefined : new Date(expiresAt)
  const token = createAccessToken({ client, value, type, scope, expiresAt: expiry })
  // A wall clock that is behind must not lengthen a life.
  return { token, lifetimeMs, remainingMs: Math.min(expiresAt - now, lifetimeMs) }
}

/** The object that the text is the JSON of, none of whose members is sure; undefined when it is no such text. */
export function parseObject<T>(text: unknown): Partial<Record<keyof T, unknown>> | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 8.64e15
}
