import { createHook } from 'node:async_hooks'
import { createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { expect, onTestFinished, test, vi } from 'vitest'

const CALLS = 1_000
const RESPONSE = new Response(null, { status: 204 })
const RESPONDED = Promise.resolve(RESPONSE)

/** A manager that holds a token of an hour. Its requester is a mock: what a token request costs is not the subject. */
async function warm() {
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'a', clientSecret: 'b' } },
    requester: { request: async () => ({ access_token: 't', token_type: 'Bearer', expires_in: 3_600 }) },
  })
  await tokens.getAccessToken('c')
  await tokens.getAccessToken('c')
  return tokens
}

/** How many promises, URLs and Headers each of many calls creates. The platform's classes are replaced by ones that count. */
function perCall(call: () => unknown) {
  const counts = { promises: 0, urls: 0, headers: 0 }
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE') counts.promises++
    },
  })
  const { URL: PlatformUrl, Headers: PlatformHeaders } = globalThis
  vi.stubGlobal(
    'URL',
    class URL extends PlatformUrl {
      constructor(...args: ConstructorParameters<typeof PlatformUrl>) {
        super(...args)
        counts.urls++
      }
    },
  )
  vi.stubGlobal(
    'Headers',
    class Headers extends PlatformHeaders {
      constructor(...args: ConstructorParameters<typeof PlatformHeaders>) {
        super(...args)
        counts.headers++
      }
    },
  )
  hook.enable()
  for (let count = 0; count < CALLS; count++) call()
  hook.disable()
  vi.unstubAllGlobals()
  return Object.fromEntries(Object.entries(counts).map(([name, count]) => [name, count / CALLS]))
}

test('a cached getAccessToken creates no promise, URL or Headers', async () => {
  const tokens = await warm()
  expect(perCall(() => tokens.getAccessToken('c'))).toEqual({ promises: 0, urls: 0, headers: 0 })
  expect(perCall(() => tokens.readyAccessToken?.('c'))).toEqual({ promises: 0, urls: 0, headers: 0 })
  // The count itself is right.
  expect(perCall(async () => new URL('https://a.example'))).toEqual({ promises: 1, urls: 1, headers: 0 })
})

test('a request by the platform creates one URL and no Headers, and reads the token without a promise', async () => {
  const tokens = await warm()
  // It is replaced, because what the network costs is not the subject.
  vi.stubGlobal('fetch', () => RESPONDED)
  const platform = globalThis.fetch
  onTestFinished(() => void vi.unstubAllGlobals())
  const call = createFetch(tokens, 'c', { baseURL: 'https://api.example/v1' })
  const counted = (init?: RequestInit) =>
    perCall(() => {
      globalThis.fetch = platform
      void call('items', init)
    })
  // One promise for the caller, and one for the wait for the response.
  const cost = { promises: 2, urls: 1, headers: 0 }
  expect(counted()).toEqual(cost)
  expect(counted({ method: 'POST', body: 'x', headers: { accept: 'application/json' } })).toEqual(cost)
})
