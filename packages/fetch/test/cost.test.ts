import { createFetch } from '@tokenward/fetch'
import { awaitedCostOf, costOf, warmTokens } from '@tokenward/test-support'
import { expect, onTestFinished, test, vi } from 'vitest'

const NOTHING = { promises: 0, urls: 0, headers: 0, abortControllers: 0 }
const RESPONDED = Promise.resolve(new Response(null, { status: 204 }))

test('a cached getAccessToken creates no promise, URL or Headers', async () => {
  const tokens = await warmTokens()
  expect(costOf(() => tokens.getAccessToken('c'))).toEqual(NOTHING)
  expect(costOf(() => tokens.readyAccessToken?.('c'))).toEqual(NOTHING)
})

test('the counts themselves are right', async () => {
  const create = () => [new URL('https://a.example'), new Headers(), new AbortController(), Promise.resolve()]
  const each = { promises: 1, urls: 1, headers: 1, abortControllers: 1 }
  expect(costOf(create)).toEqual(each)
  // The promise of the async function, and the wait for it.
  expect(await awaitedCostOf(async () => void create())).toEqual({ ...each, promises: 3 })
})

test('a request by the platform creates no URL and no Headers, and reads the token without a promise', async () => {
  const tokens = await warmTokens()
  // It is replaced, because what the network costs is not the subject.
  vi.stubGlobal('fetch', () => RESPONDED)
  onTestFinished(() => void vi.unstubAllGlobals())
  const call = createFetch(tokens, 'c', { baseURL: 'https://api.example/v1' })
  // The promise of the caller.
  const cost = { ...NOTHING, promises: 1 }
  expect(costOf(() => call('items'))).toEqual(cost)
  const init = { method: 'POST', body: 'x', headers: { accept: 'application/json' } }
  expect(costOf(() => call('items', init))).toEqual(cost)
  const headers = new Headers({ accept: 'application/json' })
  expect(costOf(() => call('items', { headers }))).toEqual(cost)
})
