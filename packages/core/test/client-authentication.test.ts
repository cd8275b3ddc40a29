import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type ClientAuth,
  type ClientDefinition,
  ClientSecretBasic,
  ClientSecretJwt,
  ClientSecretPost,
  createTokenManager,
  jwtBearer,
  None,
  PrivateKeyJwt,
  TlsClientAuth,
  tokenExchange,
} from '@tokenward/core'
import type { TestClient } from '@tokenward/identity-provider'
import { startProvider } from '@tokenward/test-support'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import selfsigned from 'selfsigned'
import { Agent, fetch as undiciFetch } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { definition } from './support'

const SECRET = 'a secret of more than 32 characters +%&'

/** A provider where `client` is registered, and a manager whose client is defined by `change`. */
async function registerClient(client: TestClient, change: Partial<ClientDefinition>) {
  const provider = await startProvider({ clients: { c: { clientId: 'worker', clientSecret: SECRET, ...client } } })
  const tokens = createTokenManager({
    clients: { c: { issuer: provider.issuer, clientId: 'worker', scope: 'catalog', ...change } },
  })
  onTestFinished(() => tokens.close())
  const callApi = async () => {
    const { value } = await tokens.getAccessToken('c')
    return (await fetch(`${provider.catalog.baseURL}test`, { headers: { authorization: `Bearer ${value}` } })).status
  }
  return { provider, tokens, callApi }
}

const byMethod = (token_endpoint_auth_method: string, metadata: object = {}): TestClient => ({
  metadata: { token_endpoint_auth_method, ...metadata },
})

test.each<[string, (secret: string) => Partial<ClientDefinition>]>([
  ['client_secret_basic', (clientSecret) => ({ clientSecret })],
  ['client_secret_basic', (clientSecret) => ({ clientSecret: async () => clientSecret })],
  ['client_secret_basic', (secret) => ({ clientAuth: ClientSecretBasic(secret) })],
  ['client_secret_post', (secret) => ({ clientAuth: ClientSecretPost(secret) })],
  ['client_secret_jwt', (secret) => ({ clientAuth: ClientSecretJwt(secret) })],
])(
  '%s: the API accepts the token; a wrong secret fails with invalid_client, and the error does not show it',
  async (method, by) => {
    const { callApi } = await registerClient(byMethod(method), by(SECRET))
    expect(await callApi()).toBe(200)
    const wrong = await registerClient(byMethod(method), by('not the secret, but as long as that one'))
    const error = await wrong.tokens.getAccessToken('c').catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'token_request_failed', error: 'invalid_client', retryable: false })
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain('not the secret')
  },
)

test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'Ed25519'])(
  'private_key_jwt with %s: the API accepts the token; another key fails with invalid_client',
  async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg)
    const keys = [{ ...(await exportJWK(publicKey)), alg, kid: 'k1' }]
    const client = byMethod('private_key_jwt', { jwks: { keys }, token_endpoint_auth_signing_alg: alg })
    const { callApi } = await registerClient(client, { clientAuth: PrivateKeyJwt({ key: privateKey, kid: 'k1' }) })
    expect(await callApi()).toBe(200)
    const other = await generateKeyPair(alg)
    const wrong = await registerClient(client, { clientAuth: PrivateKeyJwt({ key: other.privateKey, kid: 'k1' }) })
    await expect(wrong.tokens.getAccessToken('c')).rejects.toMatchObject({ error: 'invalid_client' })
  },
)

test('none: a public client sends its id and no credential', async () => {
  const sent: URLSearchParams[] = []
  const { clientSecret, ...rest } = definition
  const transport: typeof fetch = async (_input, init) => {
    sent.push(new URLSearchParams(String(init?.body)))
    return Response.json({ access_token: 'a', token_type: 'bearer' })
  }
  const tokens = createTokenManager({ clients: { c: { ...rest, clientAuth: None(), fetch: transport } } })
  await tokens.getAccessToken('c')
  expect(Object.fromEntries(sent[0] ?? [])).toEqual({
    client_id: 'client-id',
    grant_type: 'client_credentials',
    scope: 'catalog',
  })
})

const named = (value: string) => [{ name: 'commonName', value }]

test.each([
  ['tls_client_auth', { tls_client_auth_subject_dn: 'CN=worker' }],
  ['self_signed_tls_client_auth', {}],
])(
  '%s: the mTLS endpoint of the metadata is used, and the API accepts the token only with the certificate',
  async (method, metadata) => {
    const certificate = await selfsigned.generate(named('worker'), { algorithm: 'sha256' })
    const another = await selfsigned.generate(named('another'), { algorithm: 'sha256' })
    const server = await selfsigned.generate(named('127.0.0.1'), { algorithm: 'sha256' })
    const certificateText = certificate.cert.replace(/-----[^-]+-----|\s/g, '')
    const publicJwk = await exportJWK((await import('node:crypto')).createPublicKey(certificate.public))
    const provider = await startProvider({
      mtls: { cert: server.cert, key: server.private },
      clients: {
        c: byMethod(method, {
          tls_client_certificate_bound_access_tokens: true,
          ...metadata,
          ...(method.startsWith('self') && { jwks: { keys: [{ ...publicJwk, x5c: [certificateText] }] } }),
        }),
      },
    })
    const fetchWith = ({ cert, private: key }: { cert: string; private: string }) => {
      const dispatcher = new Agent({ connect: { cert, key, rejectUnauthorized: false } })
      onTestFinished(() => dispatcher.close())
      const transport = (input: unknown, init: unknown) =>
        undiciFetch(String(input), { ...(init as object), dispatcher })
      return transport as unknown as typeof fetch
    }
    const token = (transport: typeof fetch) =>
      createTokenManager({
        clients: {
          c: {
            issuer: provider.issuer,
            clientId: 'c',
            clientAuth: TlsClientAuth(),
            scope: 'catalog',
            fetch: transport,
          },
        },
      }).getAccessToken('c')
    const { value } = await token(fetchWith(certificate))
    const headers = { authorization: `Bearer ${value}` }
    const url = `${provider.mtlsCatalog?.baseURL}test`
    expect((await fetchWith(certificate)(url, { headers })).status).toBe(200)
    expect((await fetchWith(another)(url, { headers })).status).toBe(401)
    expect((await fetch(`${provider.catalog.baseURL}test`, { headers })).status).toBe(401)
    await expect(token(fetchWith(another))).rejects.toMatchObject({ error: 'invalid_client' })
  },
)

test('no call fails when the secret is rotated while 50 callers renew', async () => {
  const { provider, tokens } = await registerClient(byMethod('client_secret_basic'), {
    clientSecret: async () => SECRET,
  })
  const failures: unknown[] = []
  let ended = false
  const loop = async () => {
    while (!ended) {
      await tokens.getAccessToken('c', { forceRenewal: true }).catch((error) => failures.push(error))
      await sleep(1)
    }
  }
  const loops = Array.from({ length: 50 }, loop)
  await expect.poll(() => provider.tokenRequests.length).toBeGreaterThan(2)
  // A request that was sent with the old secret after the server has switched to the new one gets this response. This
  // server cannot change a secret while it runs, so the response is scripted.
  provider.tokenEndpointFaults.fail(1, { status: 401, body: { error: 'invalid_client' } })
  await expect.poll(() => provider.tokenRequests.some(({ status }) => status === 401)).toBe(true)
  ended = true
  await Promise.all(loops)
  expect(failures).toEqual([])
  expect(provider.tokenRequests.filter(({ status }) => status === 401)).toHaveLength(1)
})

test('workload identity: each request reads the current token file, and the supplier gets client and audience', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(publicKey)), alg: 'ES256' }]
  const folder = mkdtempSync(join(tmpdir(), 'tokenward-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'token')
  const audiences: string[] = []
  const { provider, tokens } = await registerClient(
    byMethod('private_key_jwt', { jwks: { keys }, token_endpoint_auth_signing_alg: 'ES256' }),
    {
      clientAssertion: async ({ client, audience }) => {
        audiences.push(`${client} ${audience}`)
        return readFileSync(file, 'utf8').trim()
      },
    },
  )
  const replaceFile = async () => {
    const assertion = new SignJWT({ jti: crypto.randomUUID() }).setProtectedHeader({ alg: 'ES256' })
    const claims = assertion.setIssuer('worker').setSubject('worker').setAudience(provider.issuer)
    writeFileSync(file, `${await claims.setIssuedAt().setExpirationTime('1m').sign(privateKey)}\n`)
  }
  for (let round = 0; round < 2; round++) {
    await replaceFile()
    await tokens.getAccessToken('c', { forceRenewal: true })
  }
  // The server refuses an assertion that it has seen before, so both requests above used a new one.
  await expect(tokens.getAccessToken('c', { forceRenewal: true })).rejects.toMatchObject({ error: 'invalid_client' })
  expect(new Set(audiences)).toEqual(new Set([`c ${provider.issuer}`]))
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([200, 200, 401])
})

test('the request after a nonce challenge has a new client assertion', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(publicKey)), alg: 'ES256' }]
  let assertions = 0
  const { provider, tokens } = await registerClient(
    byMethod('private_key_jwt', { jwks: { keys }, token_endpoint_auth_signing_alg: 'ES256' }),
    {
      dpop: true,
      async clientAssertion({ audience }) {
        assertions++
        const assertion = new SignJWT({ jti: crypto.randomUUID() }).setProtectedHeader({ alg: 'ES256' })
        const claims = assertion.setIssuer('worker').setSubject('worker').setAudience(audience)
        return claims.setIssuedAt().setExpirationTime('1m').sign(privateKey)
      },
    },
  )
  provider.requiresNonce = true
  expect((await tokens.getAccessToken('c')).type).toBe('DPoP')
  expect(assertions).toBe(2)
})

test('resources, audience and authorization_details are sent to the server', async () => {
  const sent: string[] = []
  const transport: typeof fetch = async (_input, init) => {
    sent.push(String(init?.body))
    return Response.json({ access_token: 'a', token_type: 'bearer' })
  }
  const tokens = createTokenManager({
    clients: {
      c: { ...definition, fetch: transport, resource: ['urn:a', new URL('https://b.example/')], audience: 'x' },
    },
  })
  const details = JSON.stringify([{ type: 'account', actions: ['read'] }])
  await tokens.getAccessToken('c', { parameters: { authorization_details: details } })
  const form = new URLSearchParams(sent[0])
  expect(form.getAll('resource')).toEqual(['urn:a', 'https://b.example/'])
  expect([form.get('audience'), form.get('authorization_details')]).toEqual(['x', details])
})

test('1,000 tenants by resolveClient: each gets its own token, and each definition is resolved once', async () => {
  const names = Array.from({ length: 1_000 }, (_, number) => `tenant-${number}`)
  const provider = await startProvider({ clients: Object.fromEntries(names.map((name) => [name, {}])) })
  const resolved: string[] = []
  const tokens = createTokenManager({
    maxEntries: 2_000,
    async resolveClient(name) {
      resolved.push(name)
      const { clientId, clientSecret } = provider.client(name)
      return { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog' }
    },
  })
  for (let first = 0; first < names.length; first += 50) {
    await Promise.all(
      names.slice(first, first + 50).flatMap((name) =>
        [1, 2].map(async () => {
          const { value } = await tokens.getAccessToken(name)
          const headers = { authorization: `Bearer ${value}`, 'x-tenant': name }
          expect((await fetch(`${provider.catalog.baseURL}test`, { headers })).status).toBe(200)
        }),
      ),
    )
  }
  // The API records the client that each token was issued to.
  expect(provider.catalog.requests).toHaveLength(2_000)
  for (const { headers, clientId } of provider.catalog.requests) expect(clientId).toBe(headers['x-tenant'])
  expect(resolved).toHaveLength(1_000)
  expect(provider.tokenRequests).toHaveLength(1_000)
})

test('a token endpoint that has moved is found by a new discovery, without a restart', async () => {
  let endpoint = 'https://as.example/old'
  const transport: typeof fetch = async (input) => {
    const url = String(input)
    if (url.includes('.well-known')) return Response.json({ issuer: 'https://as.example', token_endpoint: endpoint })
    if (url !== endpoint) return new Response('moved', { status: 404 })
    return Response.json({ access_token: 'a', token_type: 'bearer', expires_in: 60 })
  }
  const tokens = createTokenManager({
    clients: { c: { issuer: 'https://as.example', clientId: 'c', clientSecret: 's', fetch: transport } },
  })
  await tokens.getAccessToken('c')
  endpoint = 'https://as.example/new'
  expect((await tokens.getAccessToken('c', { forceRenewal: true })).value).toBe('a')
})

test('revoke revokes the tokens at a server that can; close does the same with revokeOnClose', async () => {
  const provider = await startProvider()
  const { clientId, clientSecret } = provider.client('catalog.client')
  const make = (options: object = {}) =>
    createTokenManager({
      clients: {
        // With opaque tokens, because this server cannot revoke JWTs.
        discovered: { issuer: provider.issuer, clientId, clientSecret, scope: 'catalog', resource: 'urn:opaque' },
        fixed: { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog' },
      },
      ...options,
    })
  const tokens = make()
  expect(await tokens.revoke('discovered')).toBe(false)
  const first = await tokens.getAccessToken('discovered')
  expect(await tokens.revoke('discovered')).toBe(true)
  expect(provider.revocationRequests).toEqual([200])
  expect((await tokens.getAccessToken('discovered')).value).not.toBe(first.value)
  await tokens.getAccessToken('fixed')
  expect(await tokens.revoke('fixed')).toBe(false)
  const closing = make({ revokeOnClose: true })
  await closing.getAccessToken('discovered')
  await closing.close()
  expect(provider.revocationRequests).toEqual([200, 200])
})

test.each([
  [
    'JWT bearer (RFC 7523)',
    jwtBearer({ assertion: ({ client, audience, parameters }) => `${client}|${audience}|${parameters.user}` }),
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: 'c|https://as.example/token|u1',
    },
  ],
  [
    'token exchange (RFC 8693)',
    tokenExchange({ subjectToken: async ({ parameters }) => `subject of ${parameters.user}`, actorToken: 'actor' }),
    {
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: 'subject of u1',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      actor_token: 'actor',
      actor_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    },
  ],
])(
  '%s: tokens are cached per parameters, and the request has the parameters of the grant',
  async (_grant, requester, expected) => {
    const sent: Record<string, string>[] = []
    const transport: typeof fetch = async (_input, init) => {
      sent.push(Object.fromEntries(new URLSearchParams(String(init?.body))))
      return Response.json({ access_token: `t${sent.length}`, token_type: 'bearer', expires_in: 60 })
    }
    const tokens = createTokenManager({ clients: { c: { ...definition, requester, fetch: transport } } })
    const of = async (user: string) => (await tokens.getAccessToken('c', { parameters: { user } })).value
    expect([await of('u1'), await of('u1'), await of('u2')]).toEqual(['t1', 't1', 't2'])
    expect(sent[0]).toEqual({ ...expected, scope: 'catalog', user: 'u1' })
  },
)

test('a ClientAuth of the user works, also an async one', async () => {
  const asynchronous = (async (...args: Parameters<ClientAuth>) => {
    await sleep(1)
    ClientSecretBasic(SECRET)(...args)
  }) as unknown as ClientAuth
  const { callApi } = await registerClient(byMethod('client_secret_basic'), { clientAuth: asynchronous })
  expect(await callApi()).toBe(200)
})

test('a ClientAuth that looks up its signing key for every request uses a new key at once', async () => {
  const keys = await Promise.all(['k1', 'k2'].map(async (kid) => ({ kid, ...(await generateKeyPair('ES256')) })))
  const jwks = await Promise.all(
    keys.map(async ({ kid, publicKey }) => ({ ...(await exportJWK(publicKey)), alg: 'ES256', kid })),
  )
  let current = 0
  const used: (string | undefined)[] = []
  const clientAuth: ClientAuth = (...args) => {
    const { kid = '', privateKey } = keys[current] ?? {}
    if (!privateKey) throw new Error('no key')
    used.push(kid)
    return PrivateKeyJwt({ key: privateKey, kid })(...args)
  }
  const { tokens } = await registerClient(byMethod('private_key_jwt', { jwks: { keys: jwks } }), { clientAuth })
  await tokens.getAccessToken('c')
  current = 1
  await tokens.getAccessToken('c', { forceRenewal: true })
  expect(used).toEqual(['k1', 'k2'])
})
