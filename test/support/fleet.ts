import { randomBytes } from 'node:crypto'
import { createTokenManager, type StoreFailed, type TokenStore } from '@tokenward/core'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { until } from '@tokenward/local-servers'
import { expect, onTestFinished } from 'vitest'

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

/** Two processes, each with a store over the same backend, use one token. */
export async function expectOneToken(connect: () => TokenStore): Promise<void> {
  const { provider, failures, start, written } = await fleet()
  const [one, two] = [start(connect()), start(connect())]
  const first = await one.getAccessToken('c')
  await written(1)
  expect((await two.getAccessToken('c')).value).toBe(first.value)
  expect(provider.tokenRequests).toHaveLength(1)
  expect(failures).toEqual([])
}

/** While the store's server is away, calls go on and it is reported; a server that starts empty is used again. */
export async function expectOutlivesServer(store: TokenStore, stop: () => Promise<void>, restart: () => Promise<void>) {
  const { provider, failures, start, written } = await fleet()
  const before = await start(store).getAccessToken('c')
  await written(1)
  expect(failures).toEqual([])
  await stop()
  const during = await start(store).getAccessToken('c')
  expect(during.value).not.toBe(before.value)
  await written(2)
  expect(failures.map(({ operation }) => operation)).toEqual(['get', 'set'])
  await restart()
  await until('the store works', async () => (await store.get(newKey())) === undefined)
  const after = await start(store).getAccessToken('c')
  await written(3)
  expect((await start(store).getAccessToken('c')).value).toBe(after.value)
  expect(provider.tokenRequests).toHaveLength(3)
}
