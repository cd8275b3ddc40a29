import { ConfigurationError, TokenRequestError, TokenwardError, WarmUpError } from '../../errors'
import { errorCode } from '../util/error-code'

/**
 * Gets a token for each client.
 *
 * @throws WarmUpError with every client that cannot get one
 */
export async function warmUp(names: readonly string[], get: (client: string) => Promise<unknown>): Promise<void> {
  if (!Array.isArray(names) || names.some((name) => typeof name !== 'string')) {
    throw new ConfigurationError([{ option: 'names', message: 'must be an array of client names' }])
  }
  const clients = [...new Set(names)]
  const results = await Promise.allSettled(clients.map(async (client) => get(client)))
  const failures = results.flatMap((result, index) => {
    const client = String(clients[index])
    return result.status === 'rejected' ? [{ client, error: known(client, result.reason) }] : []
  })
  if (failures.length > 0) throw new WarmUpError(failures, clients.length)
}

/** What a late definition of the user's threw may say anything, so it is only the cause of an error. */
function known(client: string, thrown: unknown): TokenwardError {
  if (thrown instanceof TokenwardError) return thrown
  const errorDescription = `the definition could not be loaded: ${errorCode(thrown)}`
  const details = { client, errorDescription, retryable: true, step: 'supplier' as const, cause: thrown }
  return new TokenRequestError({ ...details, error: 'credential_unavailable' })
}
