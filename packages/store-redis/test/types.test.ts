import type { TokenStore } from '@tokenward/core'
import { type RedisClient, type RedisStore, redisStore } from '@tokenward/store-redis'
import type { Cluster, Redis } from 'ioredis'
import type { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5'
import { expectTypeOf, test } from 'vitest'

test('clients of ioredis 5 and 6, Redis and Cluster, fit; so does the store', () => {
  expectTypeOf<Redis>().toExtend<RedisClient>()
  expectTypeOf<Cluster>().toExtend<RedisClient>()
  expectTypeOf<Redis<'resp3'>>().toExtend<RedisClient>()
  expectTypeOf<Cluster<'resp3'>>().toExtend<RedisClient>()
  expectTypeOf<Redis5>().toExtend<RedisClient>()
  expectTypeOf<Cluster5>().toExtend<RedisClient>()
  expectTypeOf(redisStore).parameter(0).toEqualTypeOf<RedisClient>()
  expectTypeOf<RedisStore>().toExtend<TokenStore>()
})

// As an application would type it.
export const stores = (client: Redis | Cluster, mapped: Redis<'resp3'>, older: Redis5 | Cluster5): TokenStore[] => [
  redisStore(client),
  redisStore(mapped),
  redisStore(older, { keyPrefix: 'app:' }),
]
