import { attachTokens, createAxios } from '@tokenward/axios'
import axios from 'axios'
import { describe, expect, test } from 'vitest'
import { ADAPTERS, catalogSetup } from './support'

test('a URL of another origin is refused before a token is requested, in every form', async () => {
  const { catalog, provider } = await catalogSetup()
  const { origin, baseURL } = provider.invoice
  const calls = [
    () => catalog(`${baseURL}test`),
    () => catalog('test', { baseURL }),
    () => catalog(`//${new URL(origin).host}/x`),
    () => catalog.request({ url: '/x', baseURL: origin, allowAbsoluteUrls: false }),
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

test.each(['data:text/plain,x', 'file:///etc/passwd', 'blob:https://a/b', 'https:evil.example/x'])(
  '%s is refused too',
  async (url) => {
    const { catalog, provider } = await catalogSetup()
    await expect(catalog(url, { baseURL: '' })).rejects.toMatchObject({
      code: expect.stringMatching(/origin_not_allowed|ERR_INVALID_URL/),
    })
    expect(provider.tokenRequests).toHaveLength(0)
  },
)

test.each(['before', 'after'])(
  'an interceptor that was added %s attachTokens and changes the base URL cannot send the token to another origin',
  async (when) => {
    const { tokens, provider, api } = await catalogSetup()
    const instance = axios.create({ baseURL: api.baseURL })
    const changeBaseURL = () =>
      instance.interceptors.request.use((config) => Object.assign(config, { baseURL: provider.invoice.baseURL }))
    if (when === 'before') changeBaseURL()
    attachTokens(instance, tokens, 'catalog.client')
    if (when === 'after') changeBaseURL()
    await expect(instance('test')).rejects.toMatchObject({ code: 'origin_not_allowed' })
    expect(provider.invoice.requests).toHaveLength(0)
  },
)

test('allowedOrigins takes origins and URLs, with or without a base URL', async () => {
  const { tokens, provider } = await catalogSetup()
  const { catalog, invoice } = provider
  const both = createAxios(tokens, 'catalog.client', { allowedOrigins: [catalog.origin, new URL(invoice.baseURL)] })
  expect((await both(`${catalog.baseURL}test`)).status).toBe(200)
  await expect(both(`${invoice.baseURL}test`, { retryOn401: false })).rejects.toMatchObject({ status: 401 })
  await expect(both('test')).rejects.toThrow("baseURL: missing, and the request's URL is not absolute: 'test'")
})

test('a redirect to a subdomain carries no token either', async () => {
  const { tokens, api } = await catalogSetup()
  const { port } = new URL(api.origin)
  const lookup = (_host: string, _options: object, found: (error: null, address: string, family: 4) => void) =>
    found(null, '127.0.0.1', 4)
  const baseURL = `http://localhost:${port}/catalog`
  const catalog = createAxios(tokens, 'catalog.client', { baseURL, lookup, proxy: false, retryOn401: false })
  const params = { to: `http://sub.localhost:${port}/catalog/test` }
  await expect(catalog('redirect', { params })).rejects.toMatchObject({ response: { status: 401 } })
  expect(api.requests.map(({ headers }) => headers.authorization?.slice(0, 9))).toEqual(['Bearer ey', undefined])
})

describe.each(ADAPTERS)('by the %s adapter', (adapter) => {
  test('a redirect within the origin keeps the token', async () => {
    const { catalog, api } = await catalogSetup({ adapter })
    expect((await catalog('redirect?to=test')).status).toBe(200)
    expect(api.requests.map(({ url }) => url)).toEqual(['/catalog/redirect?to=test', '/catalog/test'])
  })

  test.each([undefined, fetch.bind(undefined)])(
    'a redirect to another origin carries no token, and a 401 there does not renew it',
    async (ownFetch) => {
      const { catalog, provider, api } = await catalogSetup({ adapter, ...(ownFetch && { env: { fetch: ownFetch } }) })
      const hosts: string[] = []
      const beforeRedirect = ({ host }: Record<string, string>) => void hosts.push(String(host))
      const params = { to: `${provider.invoice.baseURL}test` }
      await expect(catalog('redirect', { params, beforeRedirect })).rejects.toMatchObject({ status: 401 })
      expect(provider.invoice.requests).toHaveLength(1)
      expect(provider.invoice.requests[0]?.headers.authorization).toBeUndefined()
      expect(provider.tokenRequests).toHaveLength(1)
      expect(api.requests).toHaveLength(1)
      if (adapter === 'http') expect(hosts).toEqual([new URL(provider.invoice.origin).host])
    },
  )
})
