import { createFetch } from '@tokenward/fetch'
import { expect, test } from 'vitest'
import { catalogSetup } from './support'

test('a URL of another origin is refused before a token is requested', async () => {
  const { catalog, provider } = await catalogSetup()
  const { origin, baseURL } = provider.invoice
  const inputs = [
    `${baseURL}test`,
    new URL(baseURL),
    new Request(baseURL),
    `//${new URL(origin).host}/x`,
    `\\\\${new URL(origin).host}/x`,
  ]
  for (const input of inputs) {
    await expect(catalog(input)).rejects.toMatchObject({
      name: 'OriginNotAllowedError',
      code: 'origin_not_allowed',
      origin,
      allowedOrigins: [provider.catalog.origin],
    })
  }
  expect(provider.tokenRequests).toHaveLength(0)
  expect(provider.invoice.requests).toHaveLength(0)
})

test.each(['data:text/plain,x', 'file:///etc/passwd', 'javascript:1', 'blob:https://a/b'])(
  '%s is refused too',
  async (url) => {
    const { catalog, provider } = await catalogSetup()
    await expect(catalog(new URL(url))).rejects.toMatchObject({ code: 'origin_not_allowed' })
    expect(provider.tokenRequests).toHaveLength(0)
  },
)

test('allowedOrigins takes origins and URLs, with or without a base URL', async () => {
  const { tokens, provider } = await catalogSetup()
  const { catalog, invoice } = provider
  const both = createFetch(tokens, 'catalog.client', { allowedOrigins: [catalog.origin, new URL(invoice.baseURL)] })
  expect((await both(`${catalog.baseURL}test`)).status).toBe(200)
  expect((await both(`${invoice.baseURL}test`, { retryOn401: false })).status).toBe(401)
  const added = createFetch(tokens, 'catalog.client', { baseURL: catalog.baseURL, allowedOrigins: [invoice.origin] })
  expect((await added('test')).status).toBe(200)
})

test('createFetch throws without baseURL and allowedOrigins, and names a URL that does not parse', async () => {
  const { tokens } = await catalogSetup()
  expect(() => createFetch(tokens, 'catalog.client', {})).toThrow(/client 'catalog.client', baseURL: missing/)
  expect(() => createFetch(tokens, 'catalog.client', { baseURL: '/api' })).toThrow(/baseURL: '\/api' does not parse/)
  expect(() => createFetch(tokens, 'catalog.client', { allowedOrigins: ['https://a', 'b'] })).toThrow(
    /allowedOrigins\[1\]/,
  )
  // @ts-expect-error the client does not exist
  createFetch(tokens, 'other.client', { baseURL: 'https://api.example' })
})

test('a redirect within the origin keeps the token', async () => {
  const { catalog, api } = await catalogSetup()
  expect((await catalog('redirect?to=test')).status).toBe(200)
  expect(api.requests.map(({ url }) => url)).toEqual(['/catalog/redirect?to=test', '/catalog/test'])
})

test('a redirect to another origin carries no token, and a 401 there does not renew it', async () => {
  const { catalog, provider } = await catalogSetup()
  const to = encodeURIComponent(`${provider.invoice.baseURL}test`)
  const response = await catalog(`redirect?to=${to}`)
  expect(response.status).toBe(401)
  expect(provider.invoice.requests).toHaveLength(1)
  expect(provider.invoice.requests[0]?.headers.authorization).toBeUndefined()
  expect(provider.invoice.requests[0]?.headers.dpop).toBeUndefined()
  expect(provider.tokenRequests).toHaveLength(1)
})
