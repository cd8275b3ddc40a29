import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { ADAPTERS, dpopSetup, tokensIn } from './support'

/** The claims of a proof. */
function claims(proof: unknown): Record<string, unknown> {
  return JSON.parse(Buffer.from(String(proof).split('.')[1] ?? '', 'base64url').toString('utf8'))
}

describe.each(ADAPTERS)('by the %s adapter', (adapter) => {
  test('each request has its own proof, with additional claims', async () => {
    const { catalog, api } = await dpopSetup({ adapter })
    await catalog.post('echo', 'x', { params: { a: 1 }, proofClaims: { purpose: 'audit' } })
    const { authorization, dpop } = api.requests[0]?.headers ?? {}
    expect(authorization).toMatch(/^DPoP ey/)
    expect(claims(dpop)).toMatchObject({ htm: 'POST', htu: `${api.baseURL}echo`, purpose: 'audit' })
  })

  test('a nonce challenge repeats the request with the same token, and a later 401 renews the token', async () => {
    const { catalog, provider, api } = await dpopSetup({ adapter })
    api.noncePolicy = 'required'
    for (let call = 0; call < 3; call++) expect((await catalog('test')).status).toBe(200)
    expect(api.requests.map(({ status }) => status)).toEqual([401, 200, 200, 200])
    expect(provider.tokenRequests).toHaveLength(1)
    provider.revokeIssued()
    expect((await catalog('test')).status).toBe(200)
    expect(provider.tokenRequests).toHaveLength(2)
  })

  test('a redirect within the origin has a new proof; a redirect to another origin carries no credentials', async () => {
    const { catalog, provider, api } = await dpopSetup({ adapter })
    const { config } = await catalog('redirect', { params: { to: 'test' } })
    expect(claims(api.requests[1]?.headers.dpop).htu).toBe(`${api.baseURL}test`)
    expect(config).toMatchObject({ url: 'redirect', baseURL: api.baseURL, params: { to: 'test' } })
    expect(config.maxRedirects).toBeUndefined()
    const otherOrigin = { params: { to: `${provider.invoice.baseURL}test` }, headers: { cookie: 'a=b' } }
    await expect(catalog('redirect', otherOrigin)).rejects.toMatchObject({ response: { status: 401 } })
    const { authorization, dpop, cookie } = provider.invoice.requests[0]?.headers ?? {}
    expect([authorization, dpop, cookie]).toEqual([undefined, undefined, undefined])
    expect(provider.tokenRequests).toHaveLength(1)
  })

  test.each([
    [301, 'GET', ''],
    [302, 'GET', ''],
    [303, 'GET', ''],
    [307, 'POST', 'body'],
    [308, 'POST', 'body'],
  ])('a POST that is redirected with %d is sent as %s', async (status, method, text) => {
    const { catalog } = await dpopSetup({ adapter })
    const { data } = await catalog.post('redirect', 'body', { params: { to: 'echo', status } })
    expect(data).toMatchObject({ method, text })
  })

  test('maxRedirects works, and a stream is not sent again after a redirect', async () => {
    const { catalog, api } = await dpopSetup({ adapter })
    const unfollowed = catalog('redirect?to=test', { maxRedirects: 0 })
    await expect(unfollowed).rejects.toMatchObject({ response: { status: 302 } })
    const endless = catalog('redirect?to=redirect?to=redirect?to=test', { maxRedirects: 1 })
    await expect(endless).rejects.toMatchObject({ code: 'ERR_FR_TOO_MANY_REDIRECTS' })
    const streamed = catalog.post('redirect?to=echo&status=307', Readable.from([Buffer.from('x')]))
    await expect(streamed).rejects.toMatchObject({ response: { status: 307 } })
    expect(api.requests).toHaveLength(4)
  })

  test('an error contains neither token nor proof', async () => {
    const { catalog } = await dpopSetup({ adapter })
    const error = await catalog('redirect?to=status/500').catch((reason) => reason)
    expect(error.config.headers.toJSON()).toMatchObject({ Authorization: '[redacted]', Dpop: '[redacted]' })
    expect(tokensIn(error)).toEqual([])
  })
})
