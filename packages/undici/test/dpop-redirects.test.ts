import { dpopTokens } from '@tokenward/test-support'
import { tokenInterceptor } from '@tokenward/undici'
import { describe, expect, onTestFinished, test } from 'vitest'
import { VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('a redirect interceptor below the tokens does not send the proof to another origin', async () => {
    const { start, provider, api } = await dpopTokens()
    const dispatcher = new undici.Agent().compose(
      undici.interceptors.redirect({ maxRedirections: 3 }),
      tokenInterceptor(start(), 'c', { baseURL: api.baseURL }),
    )
    onTestFinished(() => dispatcher.destroy())
    const to = encodeURIComponent(`${provider.invoice.baseURL}test`)
    const { statusCode } = await undici.request(`${api.baseURL}redirect?to=${to}`, { dispatcher })
    expect(statusCode).toBe(302)
    expect(provider.invoice.requests).toEqual([])
  })

  test("an API's response is not lost when its client is removed meanwhile", async () => {
    const { start, api } = await dpopTokens()
    const tokens = start()
    let onSend = () => {}
    const dispatcher = new undici.Agent().compose(
      (dispatch) => (options, handler) => {
        onSend()
        return dispatch(options, handler)
      },
      tokenInterceptor(tokens, 'c', { baseURL: api.baseURL }),
    )
    onTestFinished(() => dispatcher.destroy())
    const call = () => undici.request(`${api.baseURL}test`, { dispatcher })
    api.noncePolicy = 'rotated'
    await (await call()).body.dump()
    // After the token was attached, and before the response.
    onSend = () => tokens.removeClient('c')
    expect((await call()).statusCode).toBe(200)
    expect(api.requests).toHaveLength(3)
  })
})
