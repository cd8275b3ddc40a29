import { tokenInterceptor } from '@tokenward/undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { catalogSetup, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('a request to another origin is refused before a token is requested', async () => {
    const { provider, dispatcher } = await catalogSetup(undici)
    await expect(undici.request(provider.invoice.baseURL, { dispatcher })).rejects.toMatchObject({
      code: 'origin_not_allowed',
    })
    expect(provider.tokenRequests).toHaveLength(0)
    expect(provider.invoice.requests).toHaveLength(0)
  })

  test("undici's redirect interceptor follows within the origin, and is refused at another origin", async () => {
    const { provider, tokens, api } = await catalogSetup(undici)
    const { baseURL } = api
    const dispatcher = new undici.Agent().compose(
      tokenInterceptor(tokens, 'catalog.client', { baseURL }),
      undici.interceptors.redirect({ maxRedirections: 5 }),
    )
    onTestFinished(() => dispatcher.destroy())
    expect((await undici.request(`${baseURL}redirect?to=test`, { dispatcher })).statusCode).toBe(200)
    const to = encodeURIComponent(`${provider.invoice.baseURL}test`)
    await expect(undici.request(`${baseURL}redirect?to=${to}`, { dispatcher })).rejects.toMatchObject({
      code: 'origin_not_allowed',
    })
    expect(provider.invoice.requests).toHaveLength(0)
  })

  test('without the redirect interceptor the caller gets the redirect response', async () => {
    const { call } = await catalogSetup(undici)
    expect((await call('redirect?to=test')).statusCode).toBe(302)
  })
})
