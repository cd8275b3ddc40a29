import { inspect } from 'node:util'
import { type ClientDefinition, type Clock, createTokenManager, type TokenRequestError } from '@tokenward/core'
import { startProvider } from '@tokenward/test-support'
import { expect, onTestFinished, test } from 'vitest'
import { recordEvents } from './support'

const OLD = 'the old secret +%&'
const NEW = 'the new secret =:/'

/** The platform's clock, which a test can move forward: the server has the real time, and its tokens outlive each test. */
function movableClock(): Clock & { advance(ms: number): void } {
  let aheadMs = 0
  return {
    advance(ms) {
      aheadMs += ms
    },
    now: () => Date.now() + aheadMs,
    monotonic: () => performance.now() + aheadMs,
    setTimeout(callback, ms) {
      const timer = setTimeout(callback, ms)
      return () => clearTimeout(timer)
    },
  }
}

/** A server that knows the old secret, and a client that is defined by `change`. */
async function rotation(change: Partial<ClientDefinition>) {
  const provider = await startProvider({ clients: { c: { clientId: 'worker', clientSecret: OLD } } })
  const clock = movableClock()
  const tokens = createTokenManager({
    clients: { c: { issuer: provider.issuer, clientId: 'worker', scope: 'catalog', ...change } },
    clock,
  })
  onTestFinished(() => tokens.close())
  const events = recordEvents(tokens, 'secretRotated')
  /** Requests a new token. Returns the status of each token request that this took. */
  const renew = async () => {
    const { length } = provider.tokenRequests
    const { value } = await tokens.getAccessToken('c', { forceRenewal: true })
    const headers = { authorization: `Bearer ${value}` }
    expect((await fetch(`${provider.catalog.baseURL}test`, { headers })).status).toBe(200)
    return provider.tokenRequests.slice(length).map(({ status }) => status)
  }
  const rotate = () => provider.setClientSecret('c', NEW)
  const rotated = () => events.splice(0).map(({ event }) => event)
  return { provider, tokens, clock, renew, rotate, rotated }
}

test.each<[string, Partial<ClientDefinition>]>([
  ['an array', { clientSecret: [NEW, OLD] }],
  ['a supplier of an array', { clientSecret: async () => [NEW, OLD] }],
])('%s: the old secret works until the server knows the new one, which is then used', async (_by, change) => {
  const { tokens, clock, renew, rotate, rotated } = await rotation(change)
  expect(await renew()).toEqual([401, 200])
  expect(rotated()).toEqual([{ client: 'c', index: 1 }])
  expect(tokens.status().clients.c?.secretIndex).toBe(1)
  // The one that works is remembered, and the first is tried again after five minutes.
  expect(await renew()).toEqual([200])
  clock.advance(299_000)
  expect(await renew()).toEqual([200])
  clock.advance(2_000)
  expect(await renew()).toEqual([401, 200])
  expect(await renew()).toEqual([200])
  expect(rotated()).toEqual([])

  await rotate()
  expect(await renew()).toEqual([401, 200])
  expect(rotated()).toEqual([{ client: 'c', index: 0 }])
  expect(await renew()).toEqual([200])
  clock.advance(301_000)
  expect(await renew()).toEqual([200])
  expect(rotated()).toEqual([])
  expect(tokens.status().clients.c?.secretIndex ?? 0).toBe(0)
})

test('the first secret is used as soon as it is tried and works, although the other one works too', async () => {
  // A server that accepts both secrets for a while is scripted: oidc-provider has one secret for each client.
  const known = [OLD]
  const sent: string[] = []
  const { clock, tokens, rotated } = await rotation({
    clientSecret: [NEW, OLD],
    issuer: undefined,
    tokenEndpoint: 'https://as.example/token',
    fetch: async (_input, init) => {
      const [, basic = ''] = String(new Headers(init?.headers).get('authorization')).split(' ')
      const secret = String(new URLSearchParams(`secret=${atob(basic).split(':')[1]}`).get('secret'))
      sent.push(secret === NEW ? 'new' : 'old')
      if (!known.includes(secret)) return Response.json({ error: 'invalid_client' }, { status: 401 })
      return Response.json({ access_token: `token-${sent.length}`, token_type: 'Bearer', expires_in: 3_600 })
    },
  })
  const renew = () => tokens.getAccessToken('c', { forceRenewal: true })
  await renew()
  known.push(NEW)
  await renew()
  clock.advance(301_000)
  await renew()
  await renew()
  expect(sent).toEqual(['new', 'old', 'old', 'new', 'new'])
  expect(rotated()).toEqual([
    { client: 'c', index: 1 },
    { client: 'c', index: 0 },
  ])
})

test('a supplier that returns a new secret in front of the one that works: the new one is tried at once', async () => {
  let secrets: string | string[] = OLD
  const { renew, rotate, rotated } = await rotation({ clientSecret: () => secrets })
  expect(await renew()).toEqual([200])
  secrets = [NEW, OLD]
  expect(await renew()).toEqual([401, 200])
  await rotate()
  expect(await renew()).toEqual([401, 200])
  secrets = NEW
  expect(await renew()).toEqual([200])
  expect(rotated()).toEqual([
    { client: 'c', index: 1 },
    { client: 'c', index: 0 },
  ])
})

test('a supplier is asked anew once when the server refuses all that it returned', async () => {
  const supplied = [
    ['stale', 'very stale'],
    [NEW, OLD],
  ]
  let calls = 0
  const { renew, rotated } = await rotation({ clientSecret: async () => supplied[Math.min(calls++, 1)] ?? [] })
  expect(await renew()).toEqual([401, 401, 401, 200])
  expect(calls).toBe(2)
  expect(rotated()).toEqual([{ client: 'c', index: 1 }])
})

test('when the server refuses every secret, the call fails once with invalid_client, and no error shows a secret', async () => {
  const { provider, tokens } = await rotation({ clientSecret: ['wrong-secret-1', 'wrong-secret-2', 'wrong-secret-3'] })
  const error: TokenRequestError = await tokens.getAccessToken('c').catch((thrown) => thrown)
  expect(error).toMatchObject({ error: 'invalid_client', status: 401, retryable: false })
  expect(error.message).toContain('the server refused each of the 3 client secrets')
  expect(inspect([error, tokens.status()], { depth: 9 })).not.toContain('wrong-secret')
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([401, 401, 401])
  // The next call gets the error without a request, as for any refused client.
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({ error: 'invalid_client' })
  expect(provider.tokenRequests).toHaveLength(3)
})

test('a failure that says nothing about the secret is not answered with the next one', async () => {
  const { provider, tokens } = await rotation({ clientSecret: [OLD, NEW], scope: 'invoice' })
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({ error: 'invalid_scope' })
  expect(provider.tokenRequests).toHaveLength(1)
})

test('50 callers that renew while the secret is rotated: none fails', async () => {
  const { provider, tokens, rotate } = await rotation({ clientSecret: [NEW, OLD] })
  const failures: unknown[] = []
  let ended = false
  const loop = async () => {
    while (!ended) {
      await tokens.getAccessToken('c', { forceRenewal: true }).catch((error) => failures.push(error))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const loops = Array.from({ length: 50 }, loop)
  await expect.poll(() => provider.tokenRequests.length).toBeGreaterThan(5)
  await rotate()
  await expect.poll(() => provider.tokenRequests.filter(({ status }) => status === 401)).toHaveLength(2)
  ended = true
  await Promise.all(loops)
  expect(failures).toEqual([])
})

test('a revocation tries the next secret too', async () => {
  const { provider, tokens, clock, rotate, rotated } = await rotation({
    clientSecret: [NEW, OLD],
    // Opaque, because this server cannot revoke JWTs.
    resource: 'urn:opaque',
  })
  await tokens.getAccessToken('c')
  await rotate()
  expect(await tokens.revoke('c')).toBe(true)
  expect(provider.revocationRequests).toEqual([401, 200])
  expect(rotated()).toEqual([
    { client: 'c', index: 1 },
    { client: 'c', index: 0 },
  ])
  clock.advance(301_000)
})

test.each([
  ['an empty array', []],
  ['an empty string', [OLD, '']],
  ['no string', [OLD, undefined]],
  ['more than 5 secrets', ['a', 'b', 'c', 'd', 'e', 'f']],
])('a supplier that returns %s fails the call with what is wrong', async (problem, secrets) => {
  const { provider, tokens } = await rotation({ clientSecret: () => secrets as string[], timeoutMs: 500 })
  await expect(tokens.getAccessToken('c')).rejects.toMatchObject({
    error: 'credential_unavailable',
    errorDescription: `the clientSecret supplier returned ${problem}`,
  })
  expect(provider.tokenRequests).toHaveLength(0)
})
