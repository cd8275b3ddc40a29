import { TokenStore } from '@tokenward/core';

interface KeyvClient {
    getRaw(key: string): Promise<unknown>;
    set(key: string, value: string, ttl: number): Promise<boolean>;
    delete(key: string): Promise<boolean>;
    on(event: 'error', listener: (error: unknown) => void): unknown;
}
declare class KeyvStoreError extends Error {
    readonly name = "KeyvStoreError";
    readonly code: string;
    constructor(operation: string, code: string);
}
declare function keyvStore(keyv: KeyvClient): Readonly<TokenStore>;

export type { KeyvClient };
export { KeyvStoreError };
export { keyvStore };
