// The adapter contract: every adapter behaves alike. Runs against the packed packages, on any supported Node.
import assert from 'node:assert/strict'
import { after, before, beforeEach, describe, test } from 'node:test'
import { inspect } from 'node:util'
import { createTokenManager } from '@tokenward/core'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { adapters } from './adapters.mjs'

const json = (text) => JSON.parse(text)

for (const { name, perCall, followsRedirects, create } of adapters) {
  describe(name, () => {
    let provider
    let tokens
    let call
    const client = (clientName, options) =>
      create(tokens, clientName, { baseURL: provider.catalog.baseURL, ...options })

    before(async () => {
      provider = await startIdentityProvider({ clients: { dpop: { metadata: { dpop_bound_access_tokens: true } } } })
    })
    after(() => provider.close())
    beforeEach(async (context) => {
      provider.reset()
      provider.catalog.noncePolicy = 'none'
      const { tokenEndpoint } = provider
      const catalog = { tokenEndpoint, scope: 'catalog', ...credentials('catalog.client') }
      tokens = createTokenManager({ clients: { catalog, dpop: { ...catalog, ...credentials('dpop'), dpop: true } } })
      call = client('catalog')
      context.after?.(() => tokens.close())
    })
    const credentials = (clientName) => {
      const { clientId, clientSecret } = provider.client(clientName)
      return { clientId, clientSecret }
    }
    const statuses = () => provider.catalog.requests.map(({ status }) => status)

    test('a token is attached and cached', async () => {
      for (let number = 0; number < 3; number++) assert.equal(json((await call('list')).text).length, 3)
      assert.match(provider.catalog.requests[0].headers.authorization, /^Bearer ey/)
      assert.equal(provider.tokenRequests.length, 1)
    })

    test('50 concurrent calls make one token request', async () => {
      const all = await Promise.all(Array.from({ length: 50 }, () => call('test')))
      assert.deepEqual(new Set(all.map(({ status }) => status)), new Set([200]))
      assert.equal(provider.tokenRequests.length, 1)
    })

    test('after a 401 the request is sent once more with a new token', async () => {
      await call('test')
      provider.revokeIssued()
      assert.equal((await call('list')).status, 200)
      assert.deepEqual(statuses(), [200, 401, 200])
      assert.equal(provider.tokenRequests.length, 2)
    })

    test('after two 401s the caller gets the second, and there was no third request', async () => {
      provider.catalog.faults.fail(2, { status: 401, body: { error: 'no' } })
      const { status, text } = await call('list')
      assert.deepEqual([status, json(text)], [401, { error: 'no' }])
      assert.deepEqual(statuses(), [401, 401])
    })

    test('with retryOn401: false the caller gets the first 401, and the next call uses a new token', async () => {
      const once = client('catalog', { retryOn401: false })
      await once('test')
      provider.revokeIssued()
      assert.equal((await once('test')).status, 401)
      assert.equal((await once('test')).status, 200)
    })

    const bodies = { text: 'text ü', bytes: new TextEncoder().encode('bytes'), json: JSON.stringify({ a: ['ü'] }) }
    if (name.startsWith('undici') === false) bodies.form = new URLSearchParams({ a: '1', b: 'ü' })
    for (const [kind, body] of Object.entries(bodies)) {
      test(`a ${kind} body is sent whole in the second request`, async () => {
        await call('test')
        provider.revokeIssued()
        const { status } = await call('echo', { method: 'POST', body, headers: { 'x-trace': '1' } })
        assert.equal(status, 200)
        const [, first, second] = provider.catalog.requests
        assert.deepEqual([first.status, second.status], [401, 200])
        assert.ok(first.body.length > 0)
        assert.deepEqual(second.body, first.body)
        assert.equal(second.headers['x-trace'], '1')
      })
    }

    test('a stream is not sent again: its caller gets the 401, and the next call uses a new token', async () => {
      await call('test')
      provider.revokeIssued()
      assert.equal((await call('echo', { method: 'POST', stream: 'streamed' })).status, 401)
      assert.equal((await call('test')).status, 200)
      assert.deepEqual(statuses(), [200, 401, 200])
    })

    test('a call fails with the OAuth code when no token can be obtained, and the API receives no request', async () => {
      const wrong = client('catalog', { tokenParameters: { scope: 'invoice' } })
      await assert.rejects(wrong('list'), { code: 'token_request_failed', error: 'invalid_scope' })
      assert.equal(provider.catalog.requests.length, 0)
    })

    test('a request to another origin is refused before a token is requested', async () => {
      await assert.rejects(call(provider.invoice.baseURL), { code: 'origin_not_allowed' })
      assert.deepEqual([provider.tokenRequests.length, provider.invoice.requests.length], [0, 0])
    })

    test('an abort rejects before the call and during the token request', async () => {
      await assert.rejects(call('test', { signal: AbortSignal.abort() }))
      assert.equal(provider.tokenRequests.length, 0)
      provider.tokenEndpointFaults.fail(1, 'hang')
      const controller = new AbortController()
      const waiting = assert.rejects(call('test', { signal: controller.signal }))
      while (provider.tokenRequests.length === 0) await new Promise((resolve) => setImmediate(resolve))
      controller.abort()
      await waiting
      assert.equal(provider.catalog.requests.length, 0)
      await tokens.close()
    })

    test('an abort rejects during the API request', async () => {
      await call('test')
      provider.catalog.faults.fail(1, 'hang')
      const controller = new AbortController()
      const waiting = assert.rejects(call('test', { signal: controller.signal }))
      while (provider.catalog.requests.length < 2) await new Promise((resolve) => setImmediate(resolve))
      controller.abort()
      await waiting
    })

    test('HEAD, 204, 304 and errors reach the caller', async () => {
      assert.equal((await call('test', { method: 'HEAD' })).status, 200)
      for (const status of [204, 304, 404, 500]) assert.equal((await call(`status/${status}`)).status, status)
    })

    test('a response body of several chunks reaches the caller unchanged', async () => {
      assert.equal((await call('stream')).text, 'line 1\nline 2\nline 3\nline 4\nline 5\n')
    })

    test('tokenParameters can be set on the client, as an object or as a function of the request', async () => {
      const fixed = client('catalog', { tokenParameters: { scope: 'catalog.read' } })
      const computed = client('catalog', {
        tokenParameters: ({ method, url, headers }) => ({
          parameters: { for: `${method} ${url.pathname} ${headers.get('x-tenant')}` },
        }),
      })
      await fixed('test')
      await computed('echo', { method: 'POST', body: 'x', headers: { 'x-tenant': 't1' } })
      const requested = provider.tokenRequests.map(({ parameters }) => [parameters.scope, parameters.for])
      assert.deepEqual(requested, [
        ['catalog.read', undefined],
        ['catalog', 'POST /catalog/echo t1'],
      ])
    })

    test('tokenParameters can be set on a call, and its options are not changed', { skip: !perCall }, async () => {
      const options = { method: 'POST', body: 'x', headers: { 'x-a': '1' }, tokenParameters: { scope: 'catalog.read' } }
      const before = inspect(options, { depth: 9 })
      assert.equal((await call('echo', options)).status, 200)
      assert.equal(inspect(options, { depth: 9 }), before)
      assert.equal(provider.tokenRequests[0].parameters.scope, 'catalog.read')
    })

    for (const clientName of ['catalog', 'dpop']) {
      test(`a redirect (${clientName}) within the origin carries the token, one to another origin does not`, async () => {
        const redirected = client(clientName)
        const elsewhere = `redirect?to=${encodeURIComponent(`${provider.invoice.baseURL}test`)}`
        const [near, far] = [await redirected('redirect?to=test'), await redirected(elsewhere)]
        assert.deepEqual([near.status, far.status], followsRedirects ? [200, 401] : [302, 302])
        for (const { headers } of provider.invoice.requests) {
          assert.deepEqual([headers.authorization, headers.dpop], [undefined, undefined])
        }
        assert.equal(provider.invoice.requests.length, followsRedirects ? 1 : 0)
        assert.equal(provider.tokenRequests.length, 1)
      })
    }

    test('DPoP: after a nonce challenge the request is sent once more, and a revoked token is renewed', async () => {
      const proven = client('dpop')
      provider.catalog.noncePolicy = 'rotated'
      for (let number = 0; number < 3; number++) assert.equal((await proven('test?a=1')).status, 200)
      assert.deepEqual(statuses(), [401, 200, 200, 200])
      provider.revokeIssued()
      assert.equal((await proven('echo', { method: 'POST', body: 'x' })).status, 200)
      assert.equal(provider.tokenRequests.length, 2)
    })

    test('discarded responses do not keep their connections', async () => {
      const settle = () => new Promise((resolve) => setTimeout(resolve, 20))
      await call('test')
      const before = provider.catalog.connections
      for (let number = 0; number < 5; number++) {
        await settle()
        provider.catalog.faults.fail(1, { status: 401, body: { error: 'x'.repeat(1_000) } })
        await tokens.clear()
        await call('test')
      }
      assert.ok(provider.catalog.connections - before <= 5, `${provider.catalog.connections - before} new connections`)
    })
  })
}
