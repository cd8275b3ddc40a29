import {
  type AccessToken,
  type ClientDefinition,
  createTokenManager,
  type TokenManager,
  TokenRequestError,
} from '@tokenward/core'

/** What came of one request for a token. */
export type Acquired =
  | { readonly token: AccessToken; readonly error?: never }
  | { readonly token?: never; readonly error: TokenRequestError }

/** A manager for the one client of a check. */
export type CheckedClient = TokenManager<'client'>

/** @throws ConfigurationError when the definition is wrong */
export function managerOf(definition: ClientDefinition): CheckedClient {
  return createTokenManager({ clients: { client: definition } })
}

/** Requests a token once. A worker would try again after a network error; a check shows the error. */
export async function acquireToken(tokens: CheckedClient): Promise<Acquired> {
  const giveUp = new AbortController()
  const stop = tokens.on('tokenRequestFailed', ({ error, willRetry }) => {
    if (willRetry) giveUp.abort(error)
  })
  try {
    return { token: await tokens.getAccessToken('client', { signal: giveUp.signal }) }
  } catch (error) {
    if (error instanceof TokenRequestError) return { error }
    throw error
  } finally {
    stop()
  }
}
