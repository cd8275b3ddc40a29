/** Reports a violation of the contract. */
function fail(what: string, actual: unknown, expected: unknown): never {
  throw new Error(`${what}: expected ${shown(expected)}, not ${shown(actual)}`)
}

// A long value would hide the sentence that says what is wrong.
function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 77)}… (${text.length} characters)` : text
}

/** Throws unless both are the same by `Object.is`. The message begins with `what`. */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected)) fail(what, actual, expected)
}

/** Returns `actual`. Throws when it is undefined or null. */
export function expectThere<T>(what: string, actual: T | null | undefined): T {
  if (actual === undefined || actual === null) fail(what, actual, 'a value')
  return actual
}
