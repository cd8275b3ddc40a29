export type { UnstorageClient } from './unstorage-client'
export { type UnstorageStoreOptions, unstorageStore } from './unstorage-store'
export { UnstorageStoreError } from './unstorage-store-error'
