import { TokenStore } from '@tokenward/core';

interface UnstorageClient {
    getItem(key: string): Promise<unknown>;
    setItem(key: string, value: any, options: {
        ttl: number;
    }): Promise<void>;
    removeItem(key: string): Promise<void>;
}
declare class UnstorageStoreError extends Error {
    readonly name = "UnstorageStoreError";
    readonly code: string;
    constructor(operation: string, code: string);
}
interface UnstorageStoreOptions {
    keyPrefix?: string | undefined;
    now?: (() => number) | undefined;
}
declare function unstorageStore(storage: UnstorageClient, options?: UnstorageStoreOptions): Readonly<TokenStore>;

export type { UnstorageClient };
export type { UnstorageStoreOptions };
export { UnstorageStoreError };
export { unstorageStore };
