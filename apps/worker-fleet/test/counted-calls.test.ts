import { serve } from '@tokenward/test-support'
import { createTestTokens, type TestTokens } from '@tokenward/testing'
import { expect, test } from 'vitest'
import { countedCalls } from '../src/counted-calls'

/** Runs until the catalog has been called `times` times. Test tokens, because each failure must come at a known call. */
async function countsAfter(times: number, tokens: TestTokens<'catalog.client'>, statuses: readonly number[] = []) {
  const stopping = new AbortController()
  let responses = 0
  const catalogUrl = await serve((_request, response) => {
    response.statusCode = statuses[responses++] ?? 200
    response.end('[]')
  })
  const worker = countedCalls(tokens, { catalogUrl, callsPerSecond: 1_000 })
  const running = worker.run(stopping.signal)
  await expect.poll(() => worker.counts().calls).toBeGreaterThanOrEqual(times)
  stopping.abort()
  await running
  return { counts: worker.counts(), responses }
}

test('calls and token requests are counted', async () => {
  const { counts } = await countsAfter(3, createTestTokens({ clients: { 'catalog.client': {} } }))
  expect(counts).toMatchObject({ okCalls: counts.calls, failures: {}, tokensRequested: 1, tokensFromStore: 0 })
})

test('a call without a token is counted by the code of its error, and the catalog gets no request', async () => {
  const tokens = createTestTokens({ clients: { 'catalog.client': {} } })
  tokens.failAlways('catalog.client', 'invalid_client')
  const { counts, responses } = await countsAfter(3, tokens)
  expect(counts).toMatchObject({ okCalls: 0, failures: { 'TokenRequestError invalid_client': counts.calls } })
  expect(responses).toBe(0)
})

test('a call is counted by the status that remains after the retry', async () => {
  const tokens = createTestTokens({ clients: { 'catalog.client': {} } })
  const { counts } = await countsAfter(4, tokens, [401, 200, 500, 401, 401])
  expect(counts.failures).toEqual({ 500: 1, 401: 1 })
  expect(tokens.rejections.length).toBeGreaterThanOrEqual(2)
})
