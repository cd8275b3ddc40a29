import { createOfetch } from '@tokenward/ofetch'
import { addedCost, warmTokens } from '@tokenward/test-support'
import { createFetch as createPlainOfetch } from 'ofetch'
import { expect, test } from 'vitest'

test('a cached token adds the headers that a transport of the user gets, and three promises', async () => {
  const tokens = await warmTokens()
  // They are replaced, because what the network costs is not the subject.
  const fetch = async () => new Response('ok')
  const catalog = createOfetch(tokens, 'c', { baseURL: 'https://api.example/v1', fetch })
  const plain = createPlainOfetch({
    fetch: fetch as typeof globalThis.fetch,
    defaults: { baseURL: 'https://api.example/v1', headers: { authorization: 'Bearer t' } },
  })
  expect(
    await addedCost(
      () => catalog('items'),
      () => plain('items'),
    ),
  ).toEqual({ promises: 3, urls: 0, headers: 1, abortControllers: 0 })
})
