/** A command of the Redis store that failed. */
export class RedisStoreError extends Error {
  override readonly name = 'RedisStoreError'
  /**
   * Redis's error code (`READONLY`, `OOM`, `WRONGTYPE`), the code of a broken connection (`ECONNREFUSED`), `command_timeout` or
   * `connection_closed` as ioredis reports them, else `failed`. `storeFailed` has it as its reason.
   */
  readonly code: string

  constructor(operation: string, code: string) {
    super(`${operation} failed: ${code}`)
    this.code = code
  }
}

/**
 * Runs commands, and replaces what they throw by an error of our own. ioredis puts the command and its arguments, so the token,
 * on its errors, and Redis quotes arguments in some of its messages.
 *
 * @throws RedisStoreError
 */
export async function withoutArguments<T>(operation: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw new RedisStoreError(operation, codeOf(error))
  }
}

/** What ioredis says without a code, by the beginning of its message. */
const CLIENT_ERRORS: readonly [beginning: string, code: string][] = [
  ['Command timed out', 'command_timeout'],
  ['Connection is closed', 'connection_closed'],
  ["Stream isn't writeable", 'connection_closed'],
  ['Reached the max retries', 'connection_closed'],
  ['Failed to refresh slots', 'cluster_unavailable'],
  ['ClusterAllFailedError', 'cluster_unavailable'],
]

function codeOf(error: unknown): string {
  try {
    const { message, code } = Object(error) as { message?: unknown; code?: unknown }
    if (typeof code === 'string' && /^\w{1,40}$/.test(code)) return code
    if (typeof message !== 'string') return 'failed'
    // Only the first word of what Redis replies: the rest may quote arguments.
    const [redisCode] = /^[A-Z]{2,40}(?=\s|$)/.exec(message) ?? []
    return redisCode ?? CLIENT_ERRORS.find(([beginning]) => message.startsWith(beginning))?.[1] ?? 'failed'
  } catch {
    return 'failed'
  }
}
