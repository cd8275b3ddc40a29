/**
 * A store held a value that none of the keys opens, or that is another key's. It says nothing of the value, whose
 * content may be a secret of somebody else.
 */
export class UndecryptableValue extends Error {
  override readonly name = 'UndecryptableValue'
  /** The key that it was kept under: a digest, no secret. */
  readonly key: string

  constructor(key: string) {
    super(`the value under the key ${key} cannot be decrypted`)
    this.key = key
  }
}
