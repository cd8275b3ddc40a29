/** An operation of the unstorage store that failed. */
export class UnstorageStoreError extends Error {
  override readonly name = 'UnstorageStoreError'

  /**
   * The driver's error code (`ECONNREFUSED`, `EACCES`), or else the name of its error class (`FetchError`). `invalid_entry` for an
   * entry that this store did not write, `failed` when nothing else is known. `storeFailed` has it as its reason.
   */
  readonly code: string

  constructor(operation: string, code: string) {
    super(`${operation} failed: ${code}`)
    this.code = code
  }
}

/**
 * Runs an operation, and replaces what it throws. Drivers put commands with their arguments, so tokens, on their errors.
 *
 * @throws UnstorageStoreError
 */
export async function withoutValues<T>(operation: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw new UnstorageStoreError(operation, codeOf(error))
  }
}

function codeOf(thrown: unknown): string {
  try {
    const { code, name } = Object(thrown) as { code?: unknown; name?: unknown }
    if (isShortWord(code)) return code
    return thrown instanceof Error && isShortWord(name) && name !== 'Error' ? name : 'failed'
  } catch {
    // A getter of the error threw.
    return 'failed'
  }
}

function isShortWord(text: unknown): text is string {
  return typeof text === 'string' && /^\w{1,40}$/.test(text)
}
