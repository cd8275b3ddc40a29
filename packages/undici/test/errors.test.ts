import { describe, expect, test } from 'vitest'
import { catalogSetup, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  test('a call fails when no token can be obtained, and the API receives no request', async () => {
    const { call, api } = await catalogSetup(undici, { tokenParameters: { scope: 'invoice' } })
    await expect(call('list')).rejects.toMatchObject({ code: 'token_request_failed', error: 'invalid_scope' })
    expect(api.requests).toHaveLength(0)
  })
})
