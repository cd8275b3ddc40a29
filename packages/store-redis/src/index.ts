export type { RedisClient } from './redis-client'
export { type RedisStore, type RedisStoreOptions, redisStore } from './redis-store'
export { RedisStoreError } from './redis-store-error'
