/** The keys of each client: a manager can have thousands of clients, and must not look through all keys for each of them. */
export class KeysByClient {
  readonly #keys = new Map<string, Set<string>>()

  add(client: string, key: string): void {
    const keys = this.#keys.get(client)
    if (keys) keys.add(key)
    else this.#keys.set(client, new Set([key]))
  }

  remove(client: string, key: string): void {
    const keys = this.#keys.get(client)
    keys?.delete(key)
    if (keys?.size === 0) this.#keys.delete(client)
  }

  /** The keys of one client. */
  of(client: string): string[] {
    return [...(this.#keys.get(client) ?? [])]
  }

  count(client: string): number {
    return this.#keys.get(client)?.size ?? 0
  }
}
