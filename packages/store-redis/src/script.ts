import type { RedisClient } from './redis-client'

/** A Lua script that Redis runs as one step. */
export interface Script {
  run(client: RedisClient, keys: readonly string[], args: readonly string[]): Promise<unknown>
}

/**
 * A script that is sent whole each time. By its hash it would take a second round trip wherever Redis does not know it
 * yet: when a fleet starts cold, which is when every millisecond counts.
 */
export function script(source: string): Script {
  return { run: (client, keys, args) => client.eval(source, keys.length, ...keys, ...args) }
}

/** SHA-1 of the text's UTF-8, in hexadecimal, as `redis.sha1hex` has it. A name for a text, not a protection. */
export async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
