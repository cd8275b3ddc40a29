import { createPrivateKey, createPublicKey } from 'node:crypto'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { exportJWK, exportPKCS8, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ClientSettings } from '../src/index'
import { certificate, checked, file, textOf } from './support'

const SECRET = 'a secret of more than 32 characters +%&'

let provider: IdentityProvider
let tls: { cert: string; key: string }
let jwk: object
let pem: string
let rsaPem: string
let assertion: string

beforeAll(async () => {
  tls = await certificate()
  const pair = await generateKeyPair('ES256', { extractable: true })
  const rsa = await generateKeyPair('RS256', { extractable: true })
  pem = await exportPKCS8(pair.privateKey)
  jwk = { ...(await exportJWK(pair.privateKey)), alg: 'ES256', kid: 'k1' }
  // PKCS#1, as older tools write it.
  rsaPem = String(createPrivateKey(await exportPKCS8(rsa.privateKey)).export({ format: 'pem', type: 'pkcs1' }))
  const byKey = async (key: CryptoKey, alg: string) => ({
    metadata: {
      token_endpoint_auth_method: 'private_key_jwt',
      token_endpoint_auth_signing_alg: alg,
      jwks: { keys: [{ ...(await exportJWK(key)), alg, kid: 'k1' }] },
    },
  })
  const bySecret = (method: string) => ({ clientSecret: SECRET, metadata: { token_endpoint_auth_method: method } })
  const workerJwk = await exportJWK(createPublicKey(tls.cert))
  provider = await startIdentityProvider({
    mtls: tls,
    clients: {
      post: bySecret('client_secret_post'),
      hmac: bySecret('client_secret_jwt'),
      key: await byKey(pair.publicKey, 'ES256'),
      rsa: await byKey(rsa.publicKey, 'PS256'),
      tls: {
        metadata: {
          token_endpoint_auth_method: 'self_signed_tls_client_auth',
          tls_client_certificate_bound_access_tokens: true,
          jwks: { keys: [{ ...workerJwk, x5c: [tls.cert.replace(/-----[^-]+-----|\s/g, '')] }] },
        },
      },
    },
  })
  assertion = await new SignJWT({ iss: 'key', sub: 'key', jti: 'a' })
    .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
    .setAudience(provider.issuer)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(pair.privateKey)
})
afterAll(() => provider.close())
beforeEach(() => provider.reset())

const client = (change: Partial<ClientSettings> = {}): ClientSettings => ({
  issuer: provider.issuer,
  scope: 'catalog',
  api: `${provider.catalog.baseURL}list`,
  ...change,
})

const METHODS: Readonly<Record<string, () => Partial<ClientSettings>>> = {
  'a secret from a file, with a line break': () => {
    const { clientId, clientSecret } = provider.client('catalog.client')
    return { clientId, clientSecretFile: file('secret', `${clientSecret}\n`) }
  },
  client_secret_post: () => ({ clientId: 'post', clientSecret: SECRET, auth: 'client_secret_post' }),
  client_secret_jwt: () => ({ clientId: 'hmac', clientSecret: SECRET, auth: 'client_secret_jwt' }),
  'private_key_jwt with a PEM': () => ({ clientId: 'key', keyFile: file('key.pem', pem), keyId: 'k1' }),
  'private_key_jwt with a JWK': () => ({ clientId: 'key', keyFile: file('key.json', JSON.stringify(jwk)) }),
  'private_key_jwt with RSA in PKCS#1 and another algorithm': () => ({
    clientId: 'rsa',
    keyFile: file('key.pem', rsaPem),
    keyAlgorithm: 'PS256',
  }),
  'an assertion from a command': () => ({
    clientId: 'key',
    assertionCommand: `cat ${file('assertion', `${assertion}\n`)}`,
  }),
  'a client certificate': () => ({
    clientId: 'tls',
    certFile: file('cert.pem', tls.cert),
    certKeyFile: file('key.pem', tls.key),
    caFile: file('ca.pem', tls.cert),
    api: `${provider.mtlsCatalog?.baseURL}list`,
  }),
  'a DPoP key of a fleet': () => {
    const { clientId, clientSecret } = provider.client('catalog.client')
    return { clientId, clientSecret, dpopKeyFile: file('dpop.json', JSON.stringify(jwk)) }
  },
}

test.each(Object.entries(METHODS))('%s: every step works, and nothing secret is shown', async (name, change) => {
  const settings = client(change())
  const report = await checked(settings)
  expect(report.steps.filter(({ status }) => status !== 'ok')).toEqual([])
  expect(report).toMatchObject({ version: 1, ok: true, exitCode: 0 })
  const names = report.steps.map(({ step }) => step)
  const dpop = name.includes('DPoP') ? ['dpop'] : []
  expect(names).toEqual(['definition', 'connection', 'discovery', 'authentication', 'token', ...dpop, 'api'])
  const shown = JSON.stringify(report)
  const { authorization = '' } =
    [provider.catalog, provider.mtlsCatalog].flatMap((api) => api?.requests ?? []).at(-1)?.headers ?? {}
  const [, , signature] = authorization.split('.')
  expect(signature?.length).toBeGreaterThan(40)
  for (const secret of [signature, settings.clientSecret, assertion.split('.')[2], String((jwk as { d: string }).d)])
    if (secret !== undefined) expect(shown).not.toContain(secret)
})

test('a secret that is being rotated: the check works, and says that the server does not accept the first one yet', async () => {
  const { clientId, clientSecret } = provider.client('catalog.client')
  const files = [file('new', 'the-next-secret\n'), file('old', `${clientSecret}\n`)]
  const report = await checked(client({ clientId, clientSecretFile: files }))
  expect(report.ok).toBe(true)
  const step = report.steps.find(({ step }) => step === 'authentication')
  expect(step?.warnings).toEqual([
    'The server does not accept the first secret, but number 2. Register the first one there before the others are removed.',
  ])
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([401, 200])
  for (const secret of [clientSecret, 'the-next-secret']) expect(JSON.stringify(report)).not.toContain(secret)
  // By the other methods, one secret is sent.
  const refused = await checked(client({ clientId, clientSecretFile: files, auth: 'client_secret_post' }))
  expect(refused.steps[0]?.summary).toContain('several secrets work with client_secret_basic only')
})

test('the token is described: type, lifetime, scope, header and claims', async () => {
  const { clientId, clientSecret } = provider.client('catalog.client')
  const { steps } = await checked(client({ clientId, clientSecret }))
  expect(steps.find(({ step }) => step === 'token')).toEqual({
    step: 'token',
    status: 'ok',
    summary: "a Bearer token, JWT, for 3600 s, scope 'catalog'",
    details: {
      type: 'Bearer',
      format: 'jwt',
      lifetimeSeconds: 3600,
      expiresAt: expect.any(String),
      requestedScope: 'catalog',
      grantedScope: 'catalog',
      header: { alg: 'ES256', typ: 'at+jwt', kid: 'signing' },
      claims: expect.objectContaining({
        aud: 'urn:catalog',
        iss: provider.issuer,
        scope: 'catalog',
        client_id: clientId,
      }),
    },
  })
})

test('TLS is described, and the token endpoint of an https server is used', async () => {
  const { clientId, clientSecret } = provider.client('catalog.client')
  const [, origin = ''] =
    /"(https:[^"]+)\/token"/.exec(await (await fetch(`${provider.issuer}/.well-known/openid-configuration`)).text()) ??
    []
  const { steps, ok } = await checked({
    tokenEndpoint: `${origin}/token`,
    clientId,
    clientSecret,
    caFile: file('ca.pem', tls.cert),
  })
  expect(ok).toBe(true)
  const step = steps.find(({ step }) => step === 'tls')
  expect(step?.summary).toMatch(
    /^TLSv1\.3, a certificate for DNS:localhost, IP Address:127\.0\.0\.1 by 'localhost', valid until 20/,
  )
  expect(step?.details).toMatchObject({ url: origin, subject: 'localhost', problem: undefined })
})

test('an opaque token is fine', async () => {
  const { clientId, clientSecret } = provider.client('catalog.client')
  const report = await checked(client({ clientId, clientSecret, resource: 'urn:opaque', api: undefined }))
  expect(report.ok).toBe(true)
  expect(report.steps.at(-1)).toMatchObject({
    status: 'ok',
    summary: expect.stringContaining('a Bearer token, opaque'),
  })
})

const WARNINGS: Readonly<Record<string, [change: () => Partial<ClientSettings>, says: string]>> = {
  'a scope that was not granted': [() => ({ scope: 'catalog nonsense' }), "Not granted: 'nonsense'"],
  'an audience that was not granted': [() => ({ audience: 'urn:other' }), "is for 'urn:catalog', not for 'urn:other'"],
  'a short lifetime': [
    () => {
      provider.setTokenLifetime(20, 'post')
      return {}
    },
    'lives for 20 s only',
  ],
  'the URL of the metadata as issuer': [
    () => ({ issuer: `${provider.issuer}/.well-known/openid-configuration` }),
    'This is the URL of the metadata',
  ],
  'an API without such a path': [
    () => ({ api: `${provider.catalog.baseURL}nothing` }),
    'there is nothing at this path',
  ],
  'an API that redirects': [() => ({ api: `${provider.catalog.baseURL}redirect?to=/login` }), 'a login page'],
  'a secret with white space': [() => ({ clientSecret: `${SECRET} ` }), 'begins or ends with white space'],
}

test.each(Object.entries(WARNINGS))('%s: a warning', async (_what, [change, says]) => {
  const settings = client({ clientId: 'post', clientSecret: SECRET, auth: 'client_secret_post', ...change() })
  const { steps } = await checked(settings)
  expect(steps.flatMap(({ warnings }) => warnings ?? []).join('\n')).toContain(says)
})

test('a server is hostile: what it says holds no secret, no token and no control characters', async () => {
  const { clientId, clientSecret = '' } = provider.client('catalog.client')
  provider.catalog.faults.fail(1, {
    status: 401,
    headers: {
      'www-authenticate': `Bearer error="invalid_token", error_description="secret ${clientSecret.replace(/"/g, '\\"')} eyJhbGciOiJFUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl"`,
    },
  })
  const report = await checked(client({ clientId, clientSecret }))
  const text = JSON.stringify(report)
  expect(report.exitCode).toBe(8)
  expect(text).toContain('[redacted]')
  expect(text).not.toContain(JSON.stringify(clientSecret).slice(1, -1))
  expect(text).not.toContain('c2lnbmF0dXJl')
  expect(textOf(report.steps.at(-1) as never)).toContain('invalid_token')
})
