import { randomBytes } from 'node:crypto'
import { createTokenManager, type StoreFailed, type TokenStore } from '@tokenward/core'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { until } from '@tokenward/local-servers'
import { onTestFinished } from 'vitest'

export const MINUTE = 60_000

export const newKey = () => randomBytes(32).toString('hex')

/** A real identity provider, and managers over a store as the processes of a fleet have them; all end with the test. */
export async function fleet() {
  const provider = await startIdentityProvider()
  onTestFinished(() => provider.close())
  const { clientId, clientSecret } = provider.client('catalog.client')
  const failures: StoreFailed[] = []
  let writes = 0
  return {
    provider,
    /** What the stores of all of them failed at. */
    failures,
    /** Waits until stores without leases have taken, or not, this many tokens: nobody who gets a token waits for that. */
    written: (count: number) => until(`${count} tokens are written`, async () => writes === count),
    start(store: TokenStore) {
      const tokens = createTokenManager({
        clients: { c: { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog' } },
        store: {
          ...store,
          async set(...args) {
            try {
              await store.set(...args)
            } finally {
              writes++
            }
          },
        },
        // A machine that is slow is not the subject.
        storeTimeoutMs: 10_000,
      })
      tokens.on('storeFailed', (failure) => failures.push(failure))
      onTestFinished(() => tokens.close())
      return tokens
    },
  }
}
