import type { RedisClient } from './redis-client'

/** A Lua script, which Redis runs as one atomic step. */
export interface Script {
  run(client: RedisClient, keys: readonly string[], args: readonly string[]): Promise<unknown>
}

/**
 * A script whose source is sent with every call. With EVALSHA, a Redis that does not have the script yet would need a second round
 * trip. That is the case when a fleet starts, and then each millisecond counts.
 */
export function script(source: string): Script {
  // async, so that a client that throws rejects instead.
  return { run: async (client, keys, args) => client.eval(source, keys.length, ...keys, ...args) }
}

/** The SHA-1 of the text's UTF-8 in hexadecimal, like `redis.sha1hex`. It is used to compare texts, not to protect them. */
export async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
