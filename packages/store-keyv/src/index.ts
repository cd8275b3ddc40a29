export type { KeyvClient } from './keyv-client'
export { keyvStore } from './keyv-store'
export { KeyvStoreError } from './keyv-store-error'
