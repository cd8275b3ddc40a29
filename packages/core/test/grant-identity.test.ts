import {
  clientCredentials,
  createTokenManager,
  jwtBearer,
  TokenRequestError,
  type TokenRequester,
  tokenExchange,
} from '@tokenward/core'
import { expect, onTestFinished, test, vi } from 'vitest'
import { configureClient } from '../src/internal/clients/configure-client'
import { Problems } from '../src/internal/util/option-checks'
import { definition, settle } from './support'

const defaults = { timeoutMs: 1_000, expirationBufferMs: 0, defaultLifetimeMs: 1_000 }
const client = configureClient('c', definition, defaults, new Problems(), undefined)
if (!client) throw new Error('no client')

const identity = async (requester: TokenRequester, parameters: Record<string, string> = {}) =>
  requester.identity?.(client, { scope: undefined, resource: [], audience: undefined, parameters })
const jwt = (claims: object) => `e30.${btoa(JSON.stringify(claims)).replaceAll('=', '')}.sig`

/** Makes the platform's monotonic clock jump, for this test. */
function passTime(ms: number): void {
  const later = performance.now() + ms
  vi.spyOn(performance, 'now').mockReturnValue(later)
  onTestFinished(() => void vi.restoreAllMocks())
}

test('the grant, its subject, its actor and its types are part of the identity', async () => {
  const all = await Promise.all([
    identity(jwtBearer({ assertion: 'alice' })),
    identity(jwtBearer({ assertion: 'bob' })),
    identity(jwtBearer({ assertion: 'alice', subject: 'alice' })),
    identity(tokenExchange({ subjectToken: 'alice' })),
    identity(tokenExchange({ subjectToken: 'bob' })),
    identity(tokenExchange({ subjectToken: async () => 'carol' })),
    identity(tokenExchange({ subjectToken: 'alice', actorToken: 'bob' })),
    identity(tokenExchange({ subjectToken: 'alice', subjectTokenType: 'urn:x' })),
    identity(tokenExchange({ subjectToken: 'alice', requestedTokenType: 'urn:x' })),
    identity(tokenExchange({ subjectToken: 'alice', subject: ({ parameters }) => `${parameters.user}` })),
  ])
  expect(new Set(all).size).toBe(all.length)
  expect(all.every((text) => text !== undefined)).toBe(true)
  expect(await identity(tokenExchange({ subjectToken: 'alice' }))).toBe(all[3])
})

test('the identity holds no credential', async () => {
  const secret = jwt({ iss: 'https://as.example', sub: 'alice', jti: 'a' })
  for (const requester of [
    jwtBearer({ assertion: secret }),
    jwtBearer({ assertion: async () => secret }),
    tokenExchange({ subjectToken: async () => secret, actorToken: async () => 'the-actor-token' }),
  ]) {
    const text = await identity(requester)
    for (const part of [...secret.split('.'), 'the-actor-token']) expect(text).not.toContain(part)
  }
})

test('a supplier is called once for each parameters; a JWT counts as its issuer and subject', async () => {
  let asked = 0
  const supplying = (sub: string) =>
    jwtBearer({ assertion: ({ parameters }) => jwt({ iss: 'i', sub: `${sub}${parameters.user ?? ''}`, jti: asked++ }) })
  const alice = supplying('alice')
  expect(await identity(alice)).toBe(await identity(alice))
  expect(asked).toBe(1)
  expect(await identity(alice, { user: '1' })).not.toBe(await identity(alice))
  expect(asked).toBe(2)
  expect(await identity(supplying('alice'))).toBe(await identity(alice))
  expect(await identity(supplying('bob'))).not.toBe(await identity(alice))
})

test('a supplier that fails is called again after 0.5 s, and its error is the cause', async () => {
  const sealed = new Error('vault sealed')
  const results: (Error | string)[] = [sealed, 'alice']
  const requester = jwtBearer({
    async assertion() {
      const result = results.shift() ?? ''
      if (result instanceof Error) throw result
      return result
    },
  })
  const error = await identity(requester).catch((thrown) => thrown)
  expect(error).toBeInstanceOf(TokenRequestError)
  expect(error).toMatchObject({ error: 'credential_unavailable', client: 'c' })
  expect(error.cause).toBe(sealed)
  await expect(identity(requester)).rejects.toMatchObject({ error: 'credential_unavailable' })
  expect(results).toHaveLength(1)
  passTime(501)
  expect(await identity(requester)).toContain('jwt-bearer')
})

test('a supplier that never returns is called again when its time is over', async () => {
  const results: Promise<string>[] = [new Promise(() => {}), Promise.resolve('alice')]
  const requester = jwtBearer({ assertion: () => results.shift() ?? '' })
  void identity(requester)
  await settle()
  passTime(1_001)
  expect(await identity(requester)).toContain('jwt-bearer')
})

test('client credentials have no identity beyond the definition', async () => {
  expect(await identity(clientCredentials())).toBeUndefined()
})

test('whom the grant is for is part of the key: another subject does not find the old token in the store', async () => {
  const entries = new Map<string, string>()
  const store = {
    get: (key: string) => entries.get(key),
    set: (key: string, value: string) => void entries.set(key, value),
    delete: (key: string) => void entries.delete(key),
  }
  let issued = 0
  const transport = async () =>
    Response.json({ access_token: `token-${++issued}`, token_type: 'Bearer', expires_in: 3_600 })
  const valueFor = async (requester?: TokenRequester) => {
    const tokens = createTokenManager({ clients: { c: { ...definition, fetch: transport, requester } }, store })
    const { value } = await tokens.getAccessToken('c')
    await tokens.close()
    return value
  }
  const alice = () => tokenExchange({ subjectToken: async () => jwt({ iss: 'i', sub: 'alice', jti: issued }) })
  expect(await valueFor(alice())).toBe('token-1')
  expect(await valueFor(alice())).toBe('token-1')
  expect(await valueFor(tokenExchange({ subjectToken: 'bob' }))).toBe('token-2')
  expect(await valueFor(jwtBearer({ assertion: 'bob' }))).toBe('token-3')
  expect(await valueFor()).toBe('token-4')
})
