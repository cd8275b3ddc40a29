/** Something that a Keyv could not do. What the backend said is told by Keyv's own `error` event; here is its code alone. */
export class KeyvStoreError extends Error {
  override readonly name = 'KeyvStoreError'

  /**
   * The backend's error code (`ECONNREFUSED`, `57P01`), if it gave one; `not_kept` when it just says no;
   * `invalid_entry` for an entry that is no text. `storeFailed` tells it as its reason.
   */
  readonly code: string | undefined

  /** `cause` is looked at and not kept: what a backend says may quote the value, and so the token. */
  constructor(operation: string, cause: unknown) {
    const code = codeOf(cause)
    super(`${operation} failed: ${code ?? (cause instanceof Error ? cause.name : 'unknown error')}`)
    this.code = code
  }
}

function codeOf(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : undefined
}
