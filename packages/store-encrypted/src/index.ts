export { type EncryptedStoreOptions, encryptedStore } from './encrypted-store'
export type { EncryptionKey } from './encryption-keys'
export { UndecryptableValue } from './undecryptable-value'
