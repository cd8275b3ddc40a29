import type { Adapter, AdapterPayload } from 'oidc-provider'

/** Keeps the state of oidc-provider in memory. The adapter that it ships prints a warning. */
export function memoryAdapter(): new (model: string) => Adapter {
  const entries = new Map<string, AdapterPayload>()
  const find = (matches: (payload: AdapterPayload) => boolean) => [...entries.values()].find(matches)

  return class MemoryAdapter implements Adapter {
    constructor(private readonly model: string) {}

    async upsert(id: string, payload: AdapterPayload): Promise<void> {
      entries.set(this.#key(id), payload)
    }

    async find(id: string): Promise<AdapterPayload | undefined> {
      return entries.get(this.#key(id))
    }

    async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
      return find((payload) => payload.userCode === userCode)
    }

    async findByUid(uid: string): Promise<AdapterPayload | undefined> {
      return find((payload) => payload.uid === uid)
    }

    async consume(id: string): Promise<void> {
      const payload = entries.get(this.#key(id))
      if (payload) payload.consumed = Math.floor(Date.now() / 1000)
    }

    async destroy(id: string): Promise<void> {
      entries.delete(this.#key(id))
    }

    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [key, payload] of entries) if (payload.grantId === grantId) entries.delete(key)
    }

    #key(id: string): string {
      return `${this.model}:${id}`
    }
  }
}
