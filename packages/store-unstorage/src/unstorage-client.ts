/**
 * What {@link unstorageStore} calls of an unstorage `Storage`. A structure and not unstorage's type, so that the store
 * works with the copy and the version that the application has.
 */
export interface UnstorageClient {
  getItem(key: string): Promise<unknown>
  // biome-ignore lint/suspicious/noExplicitAny: a Storage of any type of values fits, and has its own idea of them.
  setItem(key: string, value: any, options: { ttl: number }): Promise<void>
  removeItem(key: string): Promise<void>
}
