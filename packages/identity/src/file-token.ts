import type { IdentityTokenOptions, IdentityTokenSupplier } from './identity-token'
import { connectionCode } from './internal/ask'
import { type Attempt, attempt } from './internal/attempt'
import { requiredBuiltin } from './internal/builtin'
import { checkedToken, MOST_CHARACTERS, type TokenFormat } from './internal/checked-token'
import { OptionChecks } from './internal/options'

/** A file: its path, or the name of the environment variable that has the path. */
export type TokenFile = string | URL | { readonly variable: string }

/** Options of {@link fileToken}. */
export interface FileTokenOptions extends IdentityTokenOptions {
  /** What the file has: a JWT, which is checked for its form and its expiry, or any other token. Default `jwt`. */
  format?: TokenFormat | undefined
}

/** A file may be read while it is being written. */
const MOST_READS = 3
const PAUSE_MS = 50

/**
 * The token in a file that the platform keeps up to date. The file is read at each call, so a rotated token is used at once. A file
 * that is being written at that moment is read again.
 *
 * - Kubernetes: a projected service account token,
 *   https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#serviceaccount-token-volume-projection
 * - AKS: `fileToken({ variable: 'AZURE_FEDERATED_TOKEN_FILE' })`
 * - EKS: `fileToken({ variable: 'AWS_WEB_IDENTITY_TOKEN_FILE' })`
 * - SPIFFE: the file that spiffe-helper writes; then also see {@link SpiffeJwt}
 *
 * @example
 * ```ts
 * clientAssertion: fileToken('/var/run/secrets/tokens/invoice')
 * ```
 */
export function fileToken(file: TokenFile, options: FileTokenOptions = {}): IdentityTokenSupplier {
  const checks = new OptionChecks('fileToken')
  const isVariable = typeof file === 'object' && !(file instanceof URL)
  const given: unknown = isVariable ? file?.variable : file
  if (!(given instanceof URL) && (typeof given !== 'string' || given === '')) {
    checks.problem('file', 'must be a path, a file URL, or { variable }')
  }
  checks.known(options, { format: 'text' })
  checks.throwIfAny()
  return (context) =>
    attempt('token file', options, context, async (current) => {
      const path = isVariable ? current.variable(file.variable) : file
      if (path === undefined) throw current.error('not_available', `environment variable ${given} is not set`)
      const source = `the file '${path}'`
      for (let reads = 1; ; reads++) {
        const text = await readStart(current, path, source)
        try {
          return checkedToken(current, text, { source, format: options.format })
        } catch (error) {
          if (reads >= MOST_READS) throw error
          await current.sleep(PAUSE_MS)
        }
      }
    })
}

/** The text of a file, or as much of it as shows that it is too long. */
async function readStart(attempt: Attempt, path: string | URL, source: string): Promise<string> {
  const { open } = requiredBuiltin(attempt, 'file system', (process) => process.getBuiltinModule('node:fs/promises'))
  try {
    const file = await open(path, 'r')
    try {
      const bytes = new Uint8Array(MOST_CHARACTERS + 1)
      let length = 0
      while (length < bytes.length) {
        attempt.signal.throwIfAborted()
        const { bytesRead } = await file.read(bytes, length, bytes.length - length)
        if (bytesRead === 0) break
        length += bytesRead
      }
      return new TextDecoder().decode(bytes.subarray(0, length))
    } finally {
      await file.close()
    }
  } catch (error) {
    if (attempt.signal.aborted) throw attempt.signal.reason
    const code = connectionCode(error) ?? 'unknown error'
    if (code === 'ENOENT') throw attempt.error('not_available', `${source} does not exist`)
    throw attempt.error(code === 'EACCES' ? 'refused' : 'not_available', `${source} cannot be read (${code})`)
  }
}
