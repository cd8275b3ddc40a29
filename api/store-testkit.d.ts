import { Awaitable } from '@tokenward/core';
import { TokenStore } from '@tokenward/core';

interface StoreConformanceOptions {
    test: (name: string, body: () => Promise<void>) => unknown;
    createStore: () => Awaitable<TokenStore>;
    supportsExpiry?: boolean | undefined;
    supportsLease?: boolean | undefined;
    supportsGroups?: boolean | undefined;
    shortestTtlMs?: number | undefined;
    sleep?: ((ms: number) => Promise<void>) | undefined;
}
declare function storeConformance(options: StoreConformanceOptions): void;

export type { StoreConformanceOptions };
export { storeConformance };
