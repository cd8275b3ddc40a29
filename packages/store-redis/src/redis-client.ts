/**
 * The methods that {@link redisStore} calls. `Redis` and `Cluster` of ioredis 5 and 6 have them. It is an interface and not a class
 * of ioredis, so that the store works with the copy and the version of ioredis that the application has.
 */
export interface RedisClient {
  get(key: string): Promise<string | null>
  set(key: string, value: string, unit: 'PX', milliseconds: number): Promise<unknown>
  del(...keys: string[]): Promise<unknown>
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>
}
