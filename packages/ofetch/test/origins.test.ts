import { createOfetch } from '@tokenward/ofetch'
import { expect, test } from 'vitest'
import { catalogSetup } from './support'

test('a URL of another origin is refused before a token is requested, in every form', async () => {
  const { catalog, provider } = await catalogSetup()
  const { origin, baseURL } = provider.invoice
  const calls = [
    () => catalog(`${baseURL}test`),
    () => catalog(new Request(baseURL)),
    () => catalog('test', { baseURL }),
    () => catalog.create({ baseURL })('test'),
    () => catalog.raw(`${baseURL}test`),
    () => catalog.native(`${baseURL}test`),
    () => catalog.native(`//${new URL(origin).host}/x`),
    () => catalog('test', { onRequest: (context) => void Object.assign(context.options, { baseURL }) }),
  ]
  for (const call of calls) {
    await expect(call()).rejects.toMatchObject({
      name: 'OriginNotAllowedError',
      code: 'origin_not_allowed',
      origin,
      allowedOrigins: [provider.catalog.origin],
    })
  }
  expect(provider.tokenRequests).toHaveLength(0)
  expect(provider.invoice.requests).toHaveLength(0)
})

test('allowedOrigins takes origins and URLs; createOfetch throws without it and baseURL', async () => {
  const { tokens, provider } = await catalogSetup()
  const { catalog, invoice } = provider
  const both = createOfetch(tokens, 'catalog.client', { allowedOrigins: [catalog.origin, new URL(invoice.baseURL)] })
  expect(await both(`${catalog.baseURL}test`)).toEqual({ ok: true })
  await expect(both(`${invoice.baseURL}test`, { retryOn401: false })).rejects.toMatchObject({ status: 401 })
  expect(() => createOfetch(tokens, 'catalog.client', {})).toThrow(/client 'catalog.client', baseURL: missing/)
  // @ts-expect-error the client does not exist
  createOfetch(tokens, 'other.client', { baseURL: 'https://api.example' })
})

test('a redirect within the origin keeps the token', async () => {
  const { catalog } = await catalogSetup()
  expect(await catalog('redirect', { query: { to: 'test' } })).toEqual({ ok: true })
})

test('a redirect to another origin carries no token, and a 401 there does not renew it', async () => {
  const { catalog, provider } = await catalogSetup()
  const call = catalog('redirect', { query: { to: `${provider.invoice.baseURL}test` } })
  await expect(call).rejects.toMatchObject({ status: 401 })
  expect(provider.invoice.requests).toHaveLength(1)
  expect(provider.invoice.requests[0]?.headers.authorization).toBeUndefined()
  expect(provider.tokenRequests).toHaveLength(1)
})
