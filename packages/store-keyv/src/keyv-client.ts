/**
 * The methods that {@link keyvStore} calls. A `Keyv` of version 5 (from 5.5) or 6 has them. It is an interface and not Keyv's
 * class, so that the store works with the copy and the version of Keyv that the application has.
 */
export interface KeyvClient {
  getRaw(key: string): Promise<unknown>
  set(key: string, value: string, ttl: number): Promise<boolean>
  delete(key: string): Promise<boolean>
  on(event: 'error', listener: (error: unknown) => void): unknown
}
