import { TokenStore } from '@tokenward/core';

interface EncryptedStoreOptions {
    keys: readonly EncryptionKey[];
    onUndecryptable?: ((error: UndecryptableValue) => unknown) | undefined;
}
type EncryptionKey = Uint8Array | {
    readonly kty: 'oct';
    readonly k: string;
};
declare class UndecryptableValue extends Error {
    readonly name = "UndecryptableValue";
    readonly code = "undecryptable_value";
    readonly key: string;
    constructor(key: string);
}
declare function encryptedStore(store: TokenStore, options: EncryptedStoreOptions): TokenStore;

export type { EncryptedStoreOptions };
export type { EncryptionKey };
export { UndecryptableValue };
export { encryptedStore };
