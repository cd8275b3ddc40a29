/** An operation of the Keyv store that failed. Keyv's own `error` event has what the backend said; this error has only a code. */
export class KeyvStoreError extends Error {
  override readonly name = 'KeyvStoreError'

  /**
   * The backend's error code (`ECONNREFUSED`, `57P01`), or else the name of its error class (`ResourceNotFoundException`).
   * `not_kept` when the backend refused the value, `invalid_entry` for an entry that is not text or that Keyv cannot read,
   * `failed` when nothing else is known. `storeFailed` has it as its reason.
   */
  readonly code: string

  constructor(operation: string, code: string) {
    super(`${operation} failed: ${code}`)
    this.code = code
  }
}

/** The code for what a Keyv threw. Nothing else of it is kept: an error of a backend may quote the value, and so the token. */
export function codeOf(thrown: unknown): string {
  try {
    const { code, name } = Object(thrown) as { code?: unknown; name?: unknown }
    if (isShortWord(code)) return code
    if (name === 'SyntaxError') return 'invalid_entry'
    return thrown instanceof Error && isShortWord(name) && name !== 'Error' ? name : 'failed'
  } catch {
    // A getter of the error threw.
    return 'failed'
  }
}

function isShortWord(text: unknown): text is string {
  return typeof text === 'string' && /^\w{1,40}$/.test(text)
}
