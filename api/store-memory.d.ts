interface MemoryStore<Value = string> {
    get(key: string): Value | undefined;
    set(key: string, value: Value, ttlMs: number): void;
    delete(key: string): void;
    clear(): void;
    entries(): Iterable<[
        key: string,
        value: Value
    ]>;
    readonly size: number;
}
interface MemoryStoreOptions {
    maxEntries?: number | undefined;
    now?: (() => number) | undefined;
}
declare function memoryStore<Value extends {} = string>(options?: MemoryStoreOptions): MemoryStore<Value>;

export type { MemoryStore };
export type { MemoryStoreOptions };
export { memoryStore };
