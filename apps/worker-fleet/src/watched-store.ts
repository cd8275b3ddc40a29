import type { StoreLease, TokenStore } from '@tokenward/core'

/** What a store's leases say about a process. */
export interface LeaseListener {
  taken(key: string): void
  /** Another process holds the lease, so this one waits. */
  refused(): void
  /** This process waits no longer: the store responded with a token, or failed. */
  resolved(): void
  ended(how: 'written' | 'released' | 'lost'): void
}

/** Returns a store that does the same, and reports its leases. */
export function watchedStore(store: Required<TokenStore>, listener: LeaseListener): TokenStore {
  const watched = (lease: StoreLease): StoreLease => ({
    async commit(value, ttlMs, group) {
      const wasWritten = await lease.commit(value, ttlMs, group)
      listener.ended(wasWritten ? 'written' : 'lost')
      return wasWritten
    },
    async release() {
      await lease.release()
      listener.ended('released')
    },
  })
  return {
    ...store,
    async lease(key, leaseMs, staleValue, group) {
      try {
        const result = await store.lease(key, leaseMs, staleValue, group)
        if (!result) listener.refused()
        else if (result.lease) listener.taken(key)
        else listener.resolved()
        return result?.lease ? { ...result, lease: watched(result.lease) } : result
      } catch (error) {
        listener.resolved()
        throw error
      }
    },
  }
}
