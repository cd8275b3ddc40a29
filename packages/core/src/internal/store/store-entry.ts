import type { AccessToken } from '../../access-token'
import { createAccessToken, isTokenValue } from '../util/create-access-token'

/** How a token is written into a store. Times are those of a wall clock, because processes share no other. */
interface StoreEntry {
  readonly v: 1
  /** The key it was stored under. An entry that was moved to another key is not valid. */
  readonly key: string
  readonly client: string
  readonly value: string
  readonly type: AccessToken['type']
  readonly scope?: string | undefined
  /** Milliseconds since 1970. */
  readonly expiresAt: number
  readonly lifetimeMs: number
  readonly refreshInMs?: number | undefined
  /** The server named no lifetime: the expiry is the definition's assumption. */
  readonly assumed?: true | undefined
}

export interface StoredToken {
  readonly token: AccessToken
  readonly lifetimeMs: number
  readonly remainingMs: number
  readonly refreshInMs?: number | undefined
}

/** What a stored token has to be: anyone who can write to the store may have put the entry there. */
export interface ExpectedToken {
  readonly key: string
  readonly client: string
  /** A DPoP client never uses a Bearer token, nor the other way round. */
  readonly isBound: boolean
  /** Whether the token may have the type `N_A`, with which no request to an API can be made. */
  readonly mayBeNA?: boolean | undefined
}

export function writeStoreEntry(
  key: string,
  token: AccessToken,
  times: { lifetimeMs: number; refreshInMs?: number | undefined; expiresAt: number },
): string {
  const { client, value, type, scope } = token
  const { lifetimeMs, refreshInMs, expiresAt } = times
  const assumed = token.expiresAt === undefined ? true : undefined
  const entry: StoreEntry = { v: 1, key, client, value, type, scope, expiresAt, lifetimeMs, refreshInMs, assumed }
  return JSON.stringify(entry)
}

/**
 * The token of an entry. Undefined when the text is not an entry of the expected token.
 *
 * @param sharedNow the time that processes share
 * @param wallNow this machine's wall clock, which `expiresAt` of the token is told by
 */
export function readStoreEntry(
  expected: ExpectedToken,
  text: unknown,
  sharedNow: number,
  wallNow: number,
): StoredToken | undefined {
  const entry = parseObject<StoreEntry>(text)
  if (entry?.v !== 1 || entry.key !== expected.key || entry.client !== expected.client) return undefined
  const { value, type, scope, expiresAt, lifetimeMs, refreshInMs, assumed } = entry
  if (!isTokenValue(value) || !isExpectedType(type, expected)) return undefined
  if (!isTime(expiresAt) || !isTime(lifetimeMs) || (scope !== undefined && typeof scope !== 'string')) return undefined
  if (refreshInMs !== undefined && !isTime(refreshInMs)) return undefined
  // A clock that is behind must not lengthen the lifetime. A date has no fractions of a millisecond, so none are counted with.
  const remainingMs = Math.floor(Math.min(expiresAt - sharedNow, lifetimeMs))
  const expiry = assumed === true ? undefined : new Date(wallNow + remainingMs)
  const token = createAccessToken({ client: expected.client, value, type, scope, expiresAt: expiry })
  return { token, lifetimeMs, remainingMs, refreshInMs }
}

/** The object that the text is the JSON of; undefined when it is none. Nothing is known about its members. */
export function parseObject<T>(text: unknown): Partial<Record<keyof T, unknown>> | undefined {
  if (typeof text !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? value : undefined
  } catch {
    return undefined
  }
}

function isExpectedType(type: unknown, { isBound, mayBeNA }: ExpectedToken): type is AccessToken['type'] {
  if (isBound) return type === 'DPoP'
  return type === 'Bearer' || (type === 'N_A' && mayBeNA === true)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 && value < 8.64e15
}
