import type { AccessToken } from '@tokenward/core'
import type { KafkaTokenOptions } from '../options'

/**
 * The longest lifetime that librdkafka is told. It asks for a token again after 80 % of it, and then gets the cached token, or one that
 * has replaced it meanwhile. It has no other way to learn of a token that was replaced.
 */
const LONGEST_LIFETIME_MS = 30_000

/** A token as the `oauthBearerProvider` of `@confluentinc/kafka-javascript` returns it. */
export interface ConfluentToken {
  readonly value: string
  readonly principal: string
  /** Until when librdkafka uses it, in milliseconds since 1970. */
  readonly lifetime: number
  readonly extensions?: Record<string, string>
}

export function confluentToken(
  { value, expiresAt }: AccessToken,
  client: string,
  { principal = client, extensions }: KafkaTokenOptions,
): ConfluentToken {
  const lifetime = Math.min(Date.now() + LONGEST_LIFETIME_MS, expiresAt?.getTime() ?? Number.POSITIVE_INFINITY)
  return { value, principal, lifetime, ...(extensions && { extensions: { ...extensions } }) }
}
