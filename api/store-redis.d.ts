import { TokenStore } from '@tokenward/core';

interface RedisClient {
    get(key: string): Promise<string | null>;
    set(key: string, value: string, unit: 'PX', milliseconds: number): Promise<unknown>;
    del(...keys: string[]): Promise<unknown>;
    eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
}
type RedisStore = Readonly<Required<TokenStore>>;
declare class RedisStoreError extends Error {
    readonly name = "RedisStoreError";
    readonly code: string;
    constructor(operation: string, code: string);
}
interface RedisStoreOptions {
    keyPrefix?: string | undefined;
}
declare function redisStore(client: RedisClient, options?: RedisStoreOptions): RedisStore;

export type { RedisClient };
export type { RedisStore };
export type { RedisStoreOptions };
export { RedisStoreError };
export { redisStore };
