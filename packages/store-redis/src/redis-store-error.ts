/** A command of the Redis store that failed. */
export class RedisStoreError extends Error {
  override readonly name = 'RedisStoreError'
  /**
   * Redis's error code (`READONLY`, `OOM`, `WRONGTYPE`), the code of a broken connection (`ECONNREFUSED`), `command_timeout` or
   * `connection_closed` as ioredis reports them, else `failed`. Our own: `value_too_large`, `lease_without_expiry` (both beside a
   * lease: the key was deleted) and `unexpected_reply`. `storeFailed` has it as its reason.
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

/** Codes for errors of ioredis that have none, by the beginning of their message. */
const CLIENT_ERRORS: readonly [beginning: string, code: string][] = [
  ['Command timed out', 'command_timeout'],
  ['Connection is closed', 'connection_closed'],
  ["Stream isn't writeable", 'connection_closed'],
  ['Reached the max retries', 'connection_closed'],
  ['Failed to refresh slots', 'cluster_unavailable'],
  ['ClusterAllFailedError', 'cluster_unavailable'],
]

/** Redis before 7 puts `ERR Error running script …: @user_script: 2: ` before the code of a command that failed in a script. */
const REDIS_CODE = /^(?:ERR Error running script [^@]{0,200}(?:@user_script: ?\d+: )+-?)?([A-Z]{2,40})(?=\s|$)/

/** Redis 7 says `ERR`, and not `NOPERM`, when the user may not run a command in a script. */
const NO_PERMISSION_IN_SCRIPT = /^ERR (?:The user executing the script can't |ACL failure in script)/

function codeOf(error: unknown): string {
  try {
    const { message, code } = Object(error) as { message?: unknown; code?: unknown }
    if (typeof code === 'string' && /^\w{1,40}$/.test(code)) return code
    if (typeof message !== 'string') return 'failed'
    if (NO_PERMISSION_IN_SCRIPT.test(message)) return 'NOPERM'
    // Only the code of what Redis replies: the rest may quote arguments.
    const [, redisCode] = REDIS_CODE.exec(message) ?? []
    return redisCode ?? CLIENT_ERRORS.find(([beginning]) => message.startsWith(beginning))?.[1] ?? 'failed'
  } catch {
    return 'failed'
  }
}
