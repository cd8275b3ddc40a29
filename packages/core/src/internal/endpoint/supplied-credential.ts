import { TokenwardError } from '../../errors'
import { untilAborted } from '../util/abort'
import { noteProgress } from './request-progress'

/** A supplier of the user's (of a secret, of an assertion) failed. `cause` is what it threw. */
export class CredentialUnavailable extends Error {}

/**
 * A credential as it is, or what its supplier returns.
 *
 * @param option the option that the user gave it by
 * @throws CredentialUnavailable
 */
export async function suppliedCredential<Context extends unknown[]>(
  option: string,
  credential: string | ((...context: Context) => string | Promise<string>),
  signal: AbortSignal | undefined,
  ...context: Context
): Promise<string> {
  if (typeof credential === 'string') return credential
  const value: unknown = await callSupplier(option, () => credential(...context), signal)
  if (typeof value === 'string' && value !== '') return value
  const returned = value === '' ? 'an empty string' : 'no string'
  throw new CredentialUnavailable(`the ${option} supplier returned ${returned}`)
}

/** What a function of the user's returns. @throws CredentialUnavailable when it throws. */
export async function callSupplier<T>(option: string, supply: () => T, signal?: AbortSignal): Promise<Awaited<T>> {
  noteProgress(signal, { step: 'supplier', supplier: option })
  try {
    return await untilAborted((async () => supply())(), signal)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    // Only the kind of the error: its message may hold anything. That of an error of tokenward's own holds no secret.
    const { name, code } = (error ?? {}) as { name?: unknown; code?: unknown }
    const kind = [name, code].filter((part) => typeof part === 'string' && /^[\w.-]{1,60}$/.test(part)).join(' ')
    const why = error instanceof TokenwardError ? error.message : kind || typeof error
    throw new CredentialUnavailable(`the ${option} supplier failed: ${why}`, { cause: error })
  }
}
