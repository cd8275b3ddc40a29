/** Something that a Storage could not do. */
export class UnstorageStoreError extends Error {
  override readonly name = 'UnstorageStoreError'

  /**
   * The driver's error code (`ECONNREFUSED`, `EACCES`), if it gave one; `invalid_entry` for an entry that this store has
   * not kept. `storeFailed` tells it as its reason.
   */
  readonly code: string | undefined

  /** `cause` is looked at and not kept: drivers put commands, so tokens, on their errors. */
  constructor(operation: string, cause: unknown) {
    const code = codeOf(cause)
    super(`${operation} failed: ${code ?? (cause instanceof Error ? cause.name : 'unknown error')}`)
    this.code = code
  }
}

/** Runs an operation. @throws UnstorageStoreError in place of whatever it throws. */
export async function withoutValues<T>(operation: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw new UnstorageStoreError(operation, error)
  }
}

function codeOf(cause: unknown): string | undefined {
  const code = (cause as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' && /^\w{1,40}$/.test(code) ? code : undefined
}
