import { randomBytes } from 'node:crypto'
import type { StoreFailed, TokenStore } from '@tokenward/core'
import { until } from '@tokenward/local-servers'
import { expect } from 'vitest'
import { singleClientManager, startProvider } from './provider'

export const MINUTE = 60_000

export const newKey = () => randomBytes(32).toString('hex')

/**
 * An identity provider. Each `start(store)` creates a manager of its own over that store, as each process of a fleet has
 * one. Everything ends with the test.
 */
export async function fleet() {
  const provider = await startProvider()
  const { clientId, clientSecret } = provider.client('catalog.client')
  const failures: StoreFailed[] = []
  let writes = 0
  return {
    provider,
    /** The store failures that all managers reported. */
    failures,
    /**
     * Waits until `set` has ended `count` times, successfully or not. Callers get their token before that. Not for stores
     * with leases: they commit instead of calling `set`.
     */
    written: (count: number) => until(`${count} tokens are written`, async () => writes === count),
    start(store: TokenStore) {
      const counted: TokenStore = {
        ...store,
        async set(...args) {
          try {
            await store.set(...args)
          } finally {
            writes++
          }
        },
      }
      const tokens = singleClientManager(
        { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog' },
        // A high limit, because these tests must not depend on how fast the machine is.
        { store: counted, storeTimeoutMs: 10_000 },
      )
      tokens.on('storeFailed', (failure) => failures.push(failure))
      return tokens
    },
  }
}

/** Checks that two processes use one token when each has a store over the same backend. */
export async function expectOneToken(connect: () => TokenStore): Promise<void> {
  const { provider, failures, start, written } = await fleet()
  const [one, two] = [start(connect()), start(connect())]
  const first = await one.getAccessToken('c')
  await written(1)
  expect((await two.getAccessToken('c')).value).toBe(first.value)
  expect(provider.tokenRequests).toHaveLength(1)
  expect(failures).toEqual([])
}

/**
 * Checks that calls succeed and the failure is reported while the store's server is stopped, and that the server is used
 * again after it has started empty.
 */
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
