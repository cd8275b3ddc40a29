import type { RedisClient } from './redis-client'

/** A Lua script that Redis runs as one step. */
export interface Script {
  run(client: RedisClient, keys: readonly string[], args: readonly string[]): Promise<unknown>
}

/** A script that is sent by its hash, and whole only to a Redis that does not have it (a new one, or after a flush). */
export function script(source: string): Script {
  let hash: Promise<string> | undefined
  return {
    async run(client, keys, args) {
      hash ??= sha1(source)
      const sha = await hash
      try {
        return await client.evalsha(sha, keys.length, ...keys, ...args)
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
        return client.eval(source, keys.length, ...keys, ...args)
      }
    },
  }
}

/** SHA-1 of the text's UTF-8, in hexadecimal, as `redis.sha1hex` has it. A name for a text, not a protection. */
export async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
