import { tokenInterceptor } from '@tokenward/undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { catalogSetup, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('each request gets a proof, and only the first one a nonce challenge', async () => {
    const { call, provider, api } = await catalogSetup(undici, { dpop: true })
    api.noncePolicy = 'rotated'
    for (let number = 0; number < 3; number++) {
      const { statusCode, body } = await call('echo?a=1', { method: 'POST', body: 'x' })
      expect(statusCode).toBe(200)
      await body.dump()
    }
    expect(api.requests.map(({ status }) => status)).toEqual([401, 200, 200, 200])
    expect(provider.tokenRequests).toHaveLength(1)
  })

  test('a redirect interceptor below the tokens does not send the proof to another origin', async () => {
    const { tokens, provider, api } = await catalogSetup(undici, { dpop: true })
    const dispatcher = new undici.Agent().compose(
      undici.interceptors.redirect({ maxRedirections: 3 }),
      tokenInterceptor(tokens, 'c', { baseURL: api.baseURL }),
    )
    onTestFinished(() => dispatcher.destroy())
    const to = encodeURIComponent(`${provider.invoice.baseURL}test`)
    const { statusCode } = await undici.request(`${api.baseURL}redirect?to=${to}`, { dispatcher })
    expect(statusCode).toBe(302)
    expect(provider.invoice.requests).toEqual([])
  })

  test("an API's response is not lost when its client is removed meanwhile", async () => {
    const { tokens, call, api } = await catalogSetup(undici, { dpop: true })
    api.noncePolicy = 'rotated'
    await (await call('test')).body.dump()
    const pending = call('test')
    await expect.poll(() => api.requests.length).toBe(3)
    tokens.removeClient('c')
    expect((await pending).statusCode).toBe(200)
  })
})
