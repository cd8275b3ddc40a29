import { describe, expect, test } from 'vitest'
import { dpopSetup, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('each request has its own proof, and after a nonce challenge the request is sent once more', async () => {
    const { call, provider, api } = await dpopSetup(undici)
    api.noncePolicy = 'rotated'
    for (let number = 0; number < 3; number++) {
      const { statusCode, body } = await call('echo?a=1', { method: 'POST', body: 'x' })
      expect(statusCode).toBe(200)
      await body.dump()
    }
    expect(api.requests.map(({ status }) => status)).toEqual([401, 200, 200, 200])
    expect(provider.tokenRequests).toHaveLength(1)
  })
})
