import { createAxios } from '@tokenward/axios'
import { addedCost, warmTokens } from '@tokenward/test-support'
import axios from 'axios'
import { expect, test } from 'vitest'

test('a cached token adds three promises, and no URL or Headers', async () => {
  const tokens = await warmTokens()
  // It is replaced, because what the network costs is not the subject.
  const env = { fetch: async () => new Response('ok') }
  const common = { baseURL: 'https://api.example/v1', adapter: 'fetch', env }
  const catalog = createAxios(tokens, 'c', common)
  const plain = axios.create({ ...common, headers: { authorization: 'Bearer t' } })
  expect(
    await addedCost(
      () => catalog.get('items'),
      () => plain.get('items'),
    ),
  ).toEqual({ promises: 3, urls: 0, headers: 0, abortControllers: 0 })
})
