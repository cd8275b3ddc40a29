/** What the errors of openid-client and of platforms may have. */
export interface ErrorLike {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly error?: unknown
  readonly error_description?: unknown
  readonly response?: Response | undefined
  readonly cause?: unknown
}

const LONGEST_CHAIN = 8

export function asErrorLike(thrown: unknown): ErrorLike {
  return typeof thrown === 'object' && thrown !== null ? thrown : {}
}

/** What was thrown, its cause, the cause of that, and so on. */
export function causesOf(thrown: unknown): ErrorLike[] {
  const chain: ErrorLike[] = []
  let next = thrown
  while (typeof next === 'object' && next !== null && chain.length < LONGEST_CHAIN) {
    chain.push(next)
    next = asErrorLike(next).cause
  }
  return chain
}
