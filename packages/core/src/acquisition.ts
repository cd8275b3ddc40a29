import type { RetrievalReason, TokenUsed, Unsubscribe } from './events'

/** A token that has to be retrieved: this process has none that a call could use without waiting, or it is time for a new one. */
export interface Acquisition {
  readonly client: string
  readonly reason: RetrievalReason
  /** Whether no caller waits: the token is renewed ahead, while callers use the current one. */
  readonly isBackground: boolean
}

/** What came of an {@link Acquisition}. */
export interface AcquiredToken {
  /** Where the token came from. `memory`: the renewal failed or takes long, and the current token is used on. */
  readonly source: TokenUsed['source']
  /** The remaining lifetime of the token, in milliseconds. */
  readonly remainingMs: number
}

/**
 * Runs `acquire`, for example with a span of a trace as its context. It has to call `acquire` before its first wait, and once.
 * `acquire` rejects when no token can be had. What the hook returns or throws changes nothing for the callers of the manager.
 */
export type AcquisitionHook = (
  acquisition: Acquisition,
  acquire: () => Promise<AcquiredToken>,
) => Promise<unknown> | undefined

/** What packages that trace a manager need, beside its events. Every `TokenManager` implements it. */
export interface TracedTokens {
  /**
   * Puts `hook` around every acquisition from now on: one for each caller that waits, and one for each renewal in the background.
   * Requests to the token endpoint are sent within the one that started them. The returned function ends that. A custom cache
   * has no acquisitions.
   */
  aroundAcquisition(hook: AcquisitionHook): Unsubscribe
}
