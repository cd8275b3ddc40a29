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
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import selfsigned from 'selfsigned'
import { Agent, fetch as undiciFetch } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { definition } from './support'
import { provided } from './support-server'

const SECRET = 'a secret of more than 32 characters +%&'

/** A provider with one client registered so, and a manager whose client authenticates so. */
async function registered(client: TestClient, authenticated: Partial<ClientDefinition>) {
  const provider = await provided({ clients: { c: { clientId: 'worker', clientSecret: SECRET, ...client } } })
  const tokens = createTokenManager({
    clients: { c: { issuer: provider.issuer, clientId: 'worker', scope: 'catalog', ...authenticated } },
  })
  onTestFinished(() => tokens.close())
  const callApi = async () => {
    const { value } = await tokens.getAccessToken('c')
    return (await fetch(`${provider.catalog.baseURL}test`, { headers: { authorization: `Bearer ${value}` } })).status
  }
  return { provider, tokens, callApi }
}

const byMethod = (token_endpoint_auth_method: string, further: object = {}): TestClient => ({
  metadata: { token_endpoint_auth_method, ...further },
})

test.each<[string, (secret: string) => Partial<ClientDefinition>]>([
  ['client_secret_basic', (clientSecret) => ({ clientSecret })],
  ['client_secret_basic', (clientSecret) => ({ clientSecret: async () => clientSecret })],
  ['client_secret_basic', (secret) => ({ clientAuth: ClientSecretBasic(secret) })],
  ['client_secret_post', (secret) => ({ clientAuth: ClientSecretPost(secret) })],
  ['client_secret_jwt', (secret) => ({ clientAuth: ClientSecretJwt(secret) })],
])(
  '%s: a token is issued and the API takes it; a wrong secret is invalid_client and leaks nothing',
  async (method, by) => {
    const { callApi } = await registered(byMethod(method), by(SECRET))
    expect(await callApi()).toBe(200)
    const wrong = await registered(byMethod(method), by('not the secret, but as long as that one'))
    const error = await wrong.tokens.getAccessToken('c').catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'token_request_failed', error: 'invalid_client', retryable: false })
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain('not the secret')
  },
)

test.each(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'Ed25519'])(
  'private_key_jwt with %s: issued and taken; another key is invalid_client',
  async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg)
    const keys = [{ ...(await exportJWK(publicKey)), alg, kid: 'k1' }]
    const client = byMethod('private_key_jwt', { jwks: { keys }, token_endpoint_auth_signing_alg: alg })
    const { callApi } = await registered(client, { clientAuth: PrivateKeyJwt({ key: privateKey, kid: 'k1' }) })
    expect(await callApi()).toBe(200)
    const other = await generateKeyPair(alg)
    const wrong = await registered(client, { clientAuth: PrivateKeyJwt({ key: other.privateKey, kid: 'k1' }) })
    await expect(wrong.tokens.getAccessToken('c')).rejects.toMatchObject({ error: 'invalid_client' })
  },
)

test('none: a public client says so, and sends its id only', async () => {
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
  '%s: the endpoint alias of the metadata is used, and the token is bound to the certificate',
  async (method, metadata) => {
    const certificate = await selfsigned.generate(named('worker'), { algorithm: 'sha256' })
    const another = await selfsigned.generate(named('another'), { algorithm: 'sha256' })
    const server = await selfsigned.generate(named('127.0.0.1'), { algorithm: 'sha256' })
    const certificateText = certificate.cert.replace(/-----[^-]+-----|\s/g, '')
    const publicJwk = await exportJWK((await import('node:crypto')).createPublicKey(certificate.public))
    const provider = await provided({
      mtls: { cert: server.cert, key: server.private },
      clients: {
        c: byMethod(method, {
          tls_client_certificate_bound_access_tokens: true,
          ...metadata,
          ...(method.startsWith('self') && { jwks: { keys: [{ ...publicJwk, x5c: [certificateText] }] } }),
        }),
      },
    })
    const showing = ({ cert, private: key }: { cert: string; private: string }) => {
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
    const { value } = await token(showing(certificate))
    const headers = { authorization: `Bearer ${value}` }
    const url = `${provider.mtlsCatalog?.baseURL}test`
    expect((await showing(certificate)(url, { headers })).status).toBe(200)
    expect((await showing(another)(url, { headers })).status).toBe(401)
    expect((await fetch(`${provider.catalog.baseURL}test`, { headers })).status).toBe(401)
    await expect(token(showing(another))).rejects.toMatchObject({ error: 'invalid_client' })
  },
)

test('a secret rotated while 50 callers loop: no failed call', async () => {
  const { provider, tokens } = await registered(byMethod('client_secret_basic'), {
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
  await sleep(50)
  // What a caller meets who had the old secret in hand when the server took on the new one. The server cannot change a
  // client's secret while it runs, so the refusal is scripted.
  provider.tokenEndpointFaults.fail(1, { status: 401, body: { error: 'invalid_client' } })
  await sleep(50)
  ended = true
  await Promise.all(loops)
  expect(failures).toEqual([])
  expect(provider.tokenRequests.filter(({ status }) => status === 401)).toHaveLength(1)
})

test('workload identity: a token file that is replaced is read for the next request, and told its audience', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(publicKey)), alg: 'ES256' }]
  const folder = mkdtempSync(join(tmpdir(), 'tokenward-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'token')
  const audiences: string[] = []
  const { provider, tokens } = await registered(
    byMethod('private_key_jwt', { jwks: { keys }, token_endpoint_auth_signing_alg: 'ES256' }),
    {
      clientAssertion: async ({ client, audience }) => {
        audiences.push(`${client} ${audience}`)
        return readFileSync(file, 'utf8').trim()
      },
    },
  )
  const project = async () => {
    const assertion = new SignJWT({ jti: crypto.randomUUID() }).setProtectedHeader({ alg: 'ES256' })
    const claims = assertion.setIssuer('worker').setSubject('worker').setAudience(provider.issuer)
    writeFileSync(file, `${await claims.setIssuedAt().setExpirationTime('1m').sign(privateKey)}\n`)
  }
  for (let round = 0; round < 2; round++) {
    await project()
    await tokens.getAccessToken('c', { forceRenewal: true })
  }
  // Used once, an assertion is refused: no request has used an old one.
  await expect(tokens.getAccessToken('c', { forceRenewal: true })).rejects.toMatchObject({ error: 'invalid_client' })
  expect(new Set(audiences)).toEqual(new Set([`c ${provider.issuer}`]))
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([200, 200, 401])
})

test('with a nonce challenge, an assertion is asked for anew for the request that answers it', async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const keys = [{ ...(await exportJWK(publicKey)), alg: 'ES256' }]
  let asked = 0
  const { provider, tokens } = await registered(
    byMethod('private_key_jwt', { jwks: { keys }, token_endpoint_auth_signing_alg: 'ES256' }),
    {
      dpop: true,
      async clientAssertion({ audience }) {
        asked++
        const assertion = new SignJWT({ jti: crypto.randomUUID() }).setProtectedHeader({ alg: 'ES256' })
        const claims = assertion.setIssuer('worker').setSubject('worker').setAudience(audience)
        return claims.setIssuedAt().setExpirationTime('1m').sign(privateKey)
      },
    },
  )
  provider.requiresNonce = true
  expect((await tokens.getAccessToken('c')).type).toBe('DPoP')
  expect(asked).toBe(2)
})

test('resources, audience and authorization_details reach the server as they should', async () => {
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

test('1,000 tenants by resolveClient: no token crosses, each definition is resolved once, memory is bounded', async () => {
  const names = Array.from({ length: 1_000 }, (_, number) => `tenant-${number}`)
  const provider = await provided({ clients: Object.fromEntries(names.map((name) => [name, {}])) })
  const asked: string[] = []
  const tokens = createTokenManager({
    maxEntries: 2_000,
    async resolveClient(name) {
      asked.push(name)
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
  // The API says whose token it was that each tenant's request came with.
  expect(provider.catalog.requests).toHaveLength(2_000)
  for (const { headers, clientId } of provider.catalog.requests) expect(clientId).toBe(headers['x-tenant'])
  expect(asked).toHaveLength(1_000)
  expect(provider.tokenRequests).toHaveLength(1_000)
}, 60_000)

test('an endpoint that moves is found again by discovery, without restart', async () => {
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

test('revoke tells the server where it offers that, and forgets the tokens; so does close when asked to', async () => {
  const provider = await provided()
  const { clientId, clientSecret } = provider.client('catalog.client')
  const make = (options: object = {}) =>
    createTokenManager({
      clients: {
        // Tokens that are references, because this server does not revoke JWTs.
        found: { issuer: provider.issuer, clientId, clientSecret, scope: 'catalog', resource: 'urn:opaque' },
        fixed: { tokenEndpoint: provider.tokenEndpoint, clientId, clientSecret, scope: 'catalog' },
      },
      ...options,
    })
  const tokens = make()
  expect(await tokens.revoke('found')).toBe(false)
  const first = await tokens.getAccessToken('found')
  expect(await tokens.revoke('found')).toBe(true)
  expect(provider.revocationRequests).toEqual([200])
  expect((await tokens.getAccessToken('found')).value).not.toBe(first.value)
  await tokens.getAccessToken('fixed')
  expect(await tokens.revoke('fixed')).toBe(false)
  const closing = make({ revokeOnClose: true })
  await closing.getAccessToken('found')
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
])('%s by the same machinery: cached per parameters, renewed, authenticated', async (_grant, requester, expected) => {
  const sent: Record<string, string>[] = []
  const transport: typeof fetch = async (_input, init) => {
    sent.push(Object.fromEntries(new URLSearchParams(String(init?.body))))
    return Response.json({ access_token: `t${sent.length}`, token_type: 'bearer', expires_in: 60 })
  }
  const tokens = createTokenManager({ clients: { c: { ...definition, requester, fetch: transport } } })
  const of = async (user: string) => (await tokens.getAccessToken('c', { parameters: { user } })).value
  expect([await of('u1'), await of('u1'), await of('u2')]).toEqual(['t1', 't1', 't2'])
  expect(sent[0]).toEqual({ ...expected, scope: 'catalog', user: 'u1' })
})

test('any ClientAuth of the user is taken, an async one too', async () => {
  const asynchronous = (async (...args: Parameters<ClientAuth>) => {
    await sleep(1)
    ClientSecretBasic(SECRET)(...args)
  }) as unknown as ClientAuth
  const { callApi } = await registered(byMethod('client_secret_basic'), { clientAuth: asynchronous })
  expect(await callApi()).toBe(200)
})

test('a signing key that changes is picked up: a method that looks it up for every request', async () => {
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
  const { tokens } = await registered(byMethod('private_key_jwt', { jwks: { keys: jwks } }), { clientAuth })
  await tokens.getAccessToken('c')
  current = 1
  await tokens.getAccessToken('c', { forceRenewal: true })
  expect(used).toEqual(['k1', 'k2'])
})
