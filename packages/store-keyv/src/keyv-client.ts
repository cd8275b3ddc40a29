/**
 * What {@link keyvStore} calls of a `Keyv`: those of Keyv 5 (from 5.5) and 6 have it. A structure and not Keyv's class,
 * so that the store works with the copy and the version that the application has.
 */
export interface KeyvClient {
  getRaw(key: string): Promise<unknown>
  set(key: string, value: string, ttl: number): Promise<boolean>
  delete(key: string): Promise<boolean>
  on(event: 'error', listener: (error: unknown) => void): unknown
}
