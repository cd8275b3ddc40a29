import { describe, expect, test } from 'vitest'
import { catalogSetup, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('a request fails when no token can be had, and the API gets nothing', async () => {
    const { call, api } = await catalogSetup(undici, { scope: 'invoice' })
    await expect(call('list')).rejects.toMatchObject({ code: 'token_request_failed', error: 'invalid_scope' })
    expect(api.requests).toHaveLength(0)
  })
})
