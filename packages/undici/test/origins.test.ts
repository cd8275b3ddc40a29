import { describe, expect, test } from 'vitest'
import { authorizedAgent, catalogSetup, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('another origin is refused before a token is requested, also behind a redirect', async () => {
    const { call, provider, tokens, dispatcher } = await catalogSetup(undici)
    await expect(undici.request(provider.invoice.baseURL, { dispatcher })).rejects.toMatchObject({
      code: 'origin_not_allowed',
    })
    expect(provider.tokenRequests).toHaveLength(0)
    const { baseURL } = provider.catalog
    const redirect = undici.interceptors.redirect({ maxRedirections: 5 })
    const following = authorizedAgent(undici, tokens, { baseURL }, redirect)
    expect((await undici.request(`${baseURL}redirect?to=test`, { dispatcher: following })).statusCode).toBe(200)
    const to = encodeURIComponent(`${provider.invoice.baseURL}test`)
    await expect(undici.request(`${baseURL}redirect?to=${to}`, { dispatcher: following })).rejects.toMatchObject({
      code: 'origin_not_allowed',
    })
    expect(provider.invoice.requests).toHaveLength(0)
    expect((await call('redirect?to=test')).statusCode).toBe(302)
  })
})
