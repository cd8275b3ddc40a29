/** A command of the Redis store that failed. */
export class RedisStoreError extends Error {
  override readonly name = 'RedisStoreError'
}

/**
 * Runs commands; what they throw comes out as an error of our own, without the original: ioredis puts the command and
 * its arguments, so the token, on its errors, and Redis quotes arguments in some of its messages.
 *
 * @throws RedisStoreError naming the operation, and Redis's error code (`READONLY`, `OOM`) or what the client says.
 */
export async function withoutArguments<T>(operation: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw new RedisStoreError(`${operation} failed: ${reason(error)}`)
  }
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error'
  // Of what Redis answers, the first word; the rest may quote arguments.
  const [code] = /^[A-Z]{2,}(?=\s|$)/.exec(error.message) ?? []
  if (error.name === 'ReplyError') return code ?? error.name
  return error.message
}
