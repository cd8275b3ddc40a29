/** The store broke its contract. */
function fail(what: string, actual: unknown, expected: unknown): never {
  throw new Error(`${what}: expected ${shown(expected)}, got ${shown(actual)}`)
}

// A long value would hide the rest of the message.
function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : String(value)
  return text.length > 80 ? `${text.slice(0, 77)}… (${text.length} characters)` : text
}

/** Throws when `actual` and `expected` differ (by `Object.is`). The message begins with `what`. */
export function expectSame(what: string, actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected)) fail(what, actual, expected)
}

/** Returns `actual`. Throws when it is undefined or null. The message begins with `what`. */
export function expectDefined<T>(what: string, actual: T | null | undefined): T {
  if (actual === undefined || actual === null) fail(what, actual, 'a value other than undefined and null')
  return actual
}
