/**
 * The `code` of an error, else its name: short texts only. Its message may hold anything, and may be as long as it likes.
 *
 * @returns `error` when there is neither
 */
export function errorCode(error: unknown): string {
  try {
    const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown }
    const text = [code, name].find((each) => typeof each === 'string' && /^\w{1,60}$/.test(each))
    return text === undefined ? 'error' : String(text)
  } catch {
    return 'error'
  }
}
