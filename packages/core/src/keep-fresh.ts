import type { AccessToken } from './access-token'
import type { TokenParameters } from './token-parameters'

/** Options of `keepFresh`: which token, as in `getAccessToken`, and what happens with errors. */
export interface KeepFreshOptions extends Omit<TokenParameters, 'forceRenewal'> {
  /**
   * Gets each error that kept a token from being had, and what the callback threw. The token is tried again in any case. Default:
   * the errors are only seen as events and log lines.
   */
  onError?: ((error: unknown) => void) | undefined
}

/** Gets the current token, and each new one. */
export type KeepFreshCallback = (token: AccessToken) => unknown
