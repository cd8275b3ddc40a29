/** Calls code that is not ours and that must not disturb ours: what it throws, or rejects with, goes to `onError` or nowhere. */
export function quietly(call: () => unknown, onError: (error: unknown) => void = () => {}): void {
  try {
    // It may be async. Its rejection must not end the process.
    Promise.resolve(call()).catch(onError)
  } catch (error) {
    onError(error)
  }
}
