import { createRequestAuthorizer, createTokenManager } from '@tokenward/core'
import { generateKeyPair } from 'jose'
import { expect, test } from 'vitest'
import { definition, ScriptedEndpoint, settle, TestClock } from './support'

const never = () => new Promise<never>(() => {})

function setup() {
  const clock = new TestClock()
  const endpoint = new ScriptedEndpoint(clock)
  const tokens = createTokenManager({
    clients: {
      good: definition,
      hanging: never,
      failing: async () => {
        throw new Error('no database')
      },
    },
    resolveClient: never,
    requester: endpoint,
    clock,
  })
  return { clock, endpoint, tokens }
}

test.each(['hanging', 'found at run time'])(
  'the signal ends a call whose definition never resolves (%s)',
  async (name) => {
    const { tokens } = setup()
    const controller = new AbortController()
    const call = tokens.getAccessToken(name, { signal: controller.signal })
    await settle()
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
  },
)

test.each(['hanging', 'found at run time'])(
  'timeoutMs and close() end a call whose definition never resolves (%s)',
  async (name) => {
    const { tokens, clock } = setup()
    const first = expect(tokens.getAccessToken(name)).rejects.toMatchObject({ error: 'timeout', retryable: true })
    await clock.advance(10_001)
    await first
    const second = expect(tokens.getAccessToken(name)).rejects.toMatchObject({ error: 'closed' })
    await settle()
    await tokens.close()
    await second
  },
)

test('signal, timeoutMs and close() end a call whose tokenParameters never resolve', async () => {
  const { tokens, clock } = setup()
  const baseURL = 'https://api.example'
  const authorizer = createRequestAuthorizer(tokens, 'good', { baseURL, tokenParameters: never })
  const request = { method: 'GET', url: baseURL, headers: () => new Headers() }
  const controller = new AbortController()
  const aborted = authorizer.authorize(request, { signal: controller.signal })
  controller.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  const late = expect(authorizer.authorize(request)).rejects.toMatchObject({ error: 'timeout' })
  await clock.advance(10_001)
  await late
  const closed = expect(authorizer.authorize(request)).rejects.toMatchObject({ error: 'closed' })
  await settle()
  await tokens.close()
  await closed
})

test('clear() deletes the tokens of the other clients when one definition fails and another never resolves', async () => {
  const { tokens, endpoint, clock } = setup()
  await tokens.getAccessToken('good')
  const cleared = tokens.clear()
  await clock.advance(10_001)
  await cleared
  await tokens.getAccessToken('good')
  expect(endpoint.requests).toHaveLength(2)
})

test('the response to a DPoP request reaches the caller although its client was removed, and no definition is loaded for its nonce', async () => {
  const clock = new TestClock()
  const endpoint = new ScriptedEndpoint(clock)
  endpoint.respondAlways({ token_type: 'DPoP' })
  const loaded: string[] = []
  const tokens = createTokenManager({
    clients: { c: { ...definition, dpop: { key: await generateKeyPair('ES256', { extractable: true }) } } },
    async resolveClient(name) {
      loaded.push(name)
      throw new Error('no database')
    },
    requester: endpoint,
    clock,
  })
  const authorizer = createRequestAuthorizer(tokens, 'c', { baseURL: 'https://api.example' })
  const request = { method: 'GET', url: 'https://api.example/', headers: () => new Headers() }
  const sent = await authorizer.authorize(request)
  tokens.removeClient('c')
  const nonce = { 'dpop-nonce': 'n' }
  expect(await sent.next({ status: 200, headers: new Headers(nonce) }, true)).toBeUndefined()
  expect(loaded).toEqual([])
  const challenge = { ...nonce, 'www-authenticate': 'DPoP error="use_dpop_nonce"' }
  expect(await sent.next({ status: 401, headers: new Headers(challenge) }, true)).toBeUndefined()
})

test('a response reaches the caller although its client was removed during the request', async () => {
  const { tokens } = setup()
  const authorizer = createRequestAuthorizer(tokens, 'good', { baseURL: 'https://api.example' })
  const request = { method: 'GET', url: 'https://api.example/', headers: () => new Headers() }
  const sent = await authorizer.authorize(request)
  tokens.removeClient('good')
  expect(await sent.next({ status: 200, headers: new Headers() }, true)).toBeUndefined()
  expect(await sent.next({ status: 401, headers: new Headers({ 'dpop-nonce': 'n' }) }, true)).toBeUndefined()
})
