/**
 * The methods that {@link unstorageStore} calls. Every unstorage `Storage` has them. It is an interface of our own, so that the
 * store works with the copy and the version of unstorage that the application has.
 */
export interface UnstorageClient {
  getItem(key: string): Promise<unknown>
  // biome-ignore lint/suspicious/noExplicitAny: a Storage for values of any type fits, and each has its own type for them.
  setItem(key: string, value: any, options: { ttl: number }): Promise<void>
  removeItem(key: string): Promise<void>
}
