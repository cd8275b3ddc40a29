import { once } from 'node:events'
import { createServer } from 'node:http'
import { createTokenManager } from '@tokenward/core'
import { createOfetch } from '@tokenward/ofetch'
import { expect, onTestFinished, test } from 'vitest'

/** An API that records what it gets, and the origin that it listens at. */
async function startApi() {
  const seen: [url: string | undefined, body: string][] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    seen.push([request.url, text])
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  return { seen, origin: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` }
}

// The token endpoint is a stand-in: what reaches the API is tested here.
function startTokens() {
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's' } },
    requester: { request: async () => ({ access_token: 't', token_type: 'Bearer', expires_in: 60 }) },
  })
  onTestFinished(() => tokens.close())
  return tokens
}

test.each(['with', 'without'])('a URL and a body that change after the call change nothing, %s hooks', async (has) => {
  const { origin, seen } = await startApi()
  const catalog = createOfetch(startTokens(), 'c', { baseURL: origin, ...(has === 'with' && { onRequest() {} }) })
  for (const send of [catalog, catalog.raw]) {
    const url = new URL('/list', origin)
    const body = new URLSearchParams()
    const calls = [1, 2, 3].map((page) => {
      url.searchParams.set('page', String(page))
      body.set('page', String(page))
      return send(url as never, { method: 'POST', body })
    })
    url.host = 'evil.example'
    body.set('page', '4')
    await Promise.all(calls)
  }
  const pages = [1, 1, 2, 2, 3, 3]
  expect(seen.sort()).toEqual(pages.map((page) => [`/list?page=${page}`, `page=${page}`]))
})

test('what cannot be right is a configuration error', async () => {
  expect(() => createOfetch(startTokens(), 'c', { baseURL: 'http://api.example' })).toThrow('plain http')
  expect(() => createOfetch({} as never, 'c' as never, { baseURL: 'https://api.example' })).toThrow(
    expect.objectContaining({ code: 'invalid_configuration' }),
  )
  const catalog = createOfetch(startTokens(), 'c', { allowedOrigins: ['https://api.example'] })
  for (const send of [catalog, catalog.raw, catalog.native]) {
    await expect(send('list')).rejects.toMatchObject({
      code: 'invalid_configuration',
      problems: [{ client: 'c', option: 'baseURL' }],
    })
  }
})
