/**
 * A store held a value that none of the encryption keys decrypts, or that was moved from another key of the store. The error says
 * nothing about the value, which may be somebody's secret.
 */
export class UndecryptableValue extends Error {
  override readonly name = 'UndecryptableValue'
  /** What `storeFailed` has as its reason. */
  readonly code = 'undecryptable_value'
  /** The key in the store: a digest, not a secret. */
  readonly key: string

  constructor(key: string) {
    super(`the value under the key ${key} cannot be decrypted`)
    this.key = key
  }
}
