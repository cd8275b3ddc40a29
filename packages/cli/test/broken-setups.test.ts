import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { exportJWK, exportPKCS8, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { CheckStepName, ClientSettings } from '../src/index'
import { certificate, checked, closedOrigin, failure, file, textOf, tlsServer } from './support'

const DAY_MS = 86_400_000

let provider: IdentityProvider
let keys: { pem: string; otherPem: string; publicPem: string }

beforeAll(async () => {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
  const other = await generateKeyPair('ES256', { extractable: true })
  keys = {
    pem: await exportPKCS8(privateKey),
    otherPem: await exportPKCS8(other.privateKey),
    publicPem:
      '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n',
  }
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'k1', use: 'sig' }] }
  const signed = { token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: 'ES256', jwks }
  provider = await startIdentityProvider({
    clients: {
      bound: { clientId: 'bound', metadata: { dpop_bound_access_tokens: true } },
      signed: { clientId: 'signed', metadata: signed },
      // It accepts no method that sends a secret.
      hmac: { clientId: 'hmac', clientSecret: SECRET, metadata: { token_endpoint_auth_method: 'client_secret_jwt' } },
      grantless: { clientId: 'grantless', clientSecret: SECRET, metadata: { grant_types: [] } },
    },
  })
})
afterAll(() => provider.close())
beforeEach(() => provider.reset())

const SECRET = 'a secret of more than 32 characters +%&'

/** A client that works, with `change`. */
function client(change: Partial<ClientSettings> = {}): ClientSettings {
  const { clientId, clientSecret } = provider.client('invoice.client')
  return { issuer: provider.issuer, clientId, clientSecret, scope: 'invoice', ...change }
}

interface Case {
  readonly settings: () => ClientSettings | Promise<ClientSettings>
  readonly step: CheckStepName
  readonly exitCode: number
  /** What the summary, the meaning or a remedy has to say. */
  readonly says: readonly (string | RegExp)[]
  readonly error?: string
}

const CASES: Readonly<Record<string, Case>> = {
  'a wrong secret': {
    settings: () => client({ clientSecret: 'not-the-secret' }),
    step: 'authentication',
    exitCode: 6,
    error: 'invalid_client',
    says: ['the secret is not its secret', "Check the client id: 'ff8ac57f"],
  },
  'a secret with quotation marks': {
    settings: () => client({ clientSecret: `"${provider.client('invoice.client').clientSecret}"` }),
    step: 'authentication',
    exitCode: 6,
    error: 'invalid_client',
    says: ['in quotation marks'],
  },
  'an unknown client': {
    settings: () => client({ clientId: 'nobody' }),
    step: 'authentication',
    exitCode: 6,
    error: 'invalid_client',
    says: ["Check the client id: 'nobody'"],
  },
  'a wrong method': {
    settings: () => client({ clientId: 'hmac', clientSecret: SECRET }),
    step: 'authentication',
    exitCode: 6,
    error: 'invalid_client',
    says: ['does not know this client id, or the secret'],
  },
  'no method, although the server wants one': {
    settings: () => client({ clientSecret: undefined, auth: 'none' }),
    step: 'authentication',
    exitCode: 6,
    says: ['wants it to authenticate', 'client_secret_basic'],
  },
  'another private key than the registered one': {
    settings: () => client({ clientId: 'signed', clientSecret: undefined, keyFile: file('key.pem', keys.otherPem) }),
    step: 'authentication',
    exitCode: 6,
    error: 'invalid_client',
    says: ['public key of --key-file is registered', '--key-id'],
  },
  'an assertion that has expired': {
    async settings() {
      const { privateKey } = await generateKeyPair('ES256')
      const assertion = await new SignJWT({ sub: 'signed', iss: 'signed' })
        .setProtectedHeader({ alg: 'ES256' })
        .setAudience('https://other.example')
        .setExpirationTime(new Date('2020-01-01T00:00:00Z'))
        .sign(privateKey)
      return client({ clientId: 'signed', clientSecret: undefined, assertionFile: file('assertion', assertion) })
    },
    step: 'authentication',
    exitCode: 6,
    says: ['expired at 2020-01-01T00:00:00.000Z', "is for 'https://other.example'"],
  },
  'an assertion that is none': {
    settings: () => client({ clientSecret: undefined, assertionFile: file('assertion', 'no JWT') }),
    step: 'authentication',
    exitCode: 6,
    says: ['client_assertion format'],
  },
  'a command without an assertion': {
    settings: () => client({ clientSecret: undefined, assertionCommand: 'echo failing >&2; exit 3' }),
    step: 'authentication',
    exitCode: 6,
    error: 'credential_unavailable',
    says: ['the command failed (exit code 3)'],
  },
  'a wrong path of the issuer': {
    settings: () => client({ issuer: `${provider.issuer}/realms/wrong` }),
    step: 'discovery',
    exitCode: 5,
    error: 'metadata_not_found',
    says: [/Metadata was found for the issuer 'http:\/\/127\.0\.0\.1:\d+': --issuer/],
  },
  'localhost for 127.0.0.1': {
    settings: () => client({ issuer: provider.issuer.replace('127.0.0.1', 'localhost') }),
    step: 'discovery',
    exitCode: 5,
    error: 'issuer_mismatch',
    says: [/is 'http:\/\/127\.0\.0\.1:\d+', but the definition has 'http:\/\/localhost:\d+'/, 'letter by letter'],
  },
  'a wrong token endpoint': {
    settings: () => client({ issuer: undefined, tokenEndpoint: `${provider.issuer}/tokn` }),
    step: 'token',
    exitCode: 7,
    error: 'invalid_response',
    says: ['status 404', /no token endpoint at http.*\/tokn/, 'give the issuer in its place'],
  },
  'a server that is down': {
    settings: async () => client({ issuer: await closedOrigin() }),
    step: 'connection',
    exitCode: 4,
    error: 'ECONNREFUSED',
    says: ['nothing listens on this port', 'use the name of the service'],
  },
  'a server that does not respond': {
    settings() {
      provider.discoveryFaults.fail(1, 'hang')
      return client({ timeoutMs: 1_000 })
    },
    step: 'discovery',
    exitCode: 5,
    error: 'timeout',
    says: ['--timeout-ms (now 1000)'],
  },
  'a token endpoint that fails': {
    settings() {
      provider.tokenEndpointFaults.fail(1, { status: 503 })
      return client()
    },
    step: 'token',
    exitCode: 7,
    error: 'server_error',
    says: ['It is not your configuration'],
  },
  'a host that DNS does not know': {
    // RFC 6761: there is never such a host.
    settings: () => client({ issuer: 'https://login.invalid' }),
    step: 'dns',
    exitCode: 4,
    says: ['login.invalid'],
  },
  'a self-signed certificate': {
    settings: async () => client({ issuer: await tlsServer(await certificate()) }),
    step: 'tls',
    exitCode: 4,
    error: 'DEPTH_ZERO_SELF_SIGNED_CERT',
    says: ['self-signed', 'NODE_EXTRA_CA_CERTS'],
  },
  'a certificate that has expired': {
    async settings() {
      const dates = {
        notBeforeDate: new Date(Date.now() - 9 * DAY_MS),
        notAfterDate: new Date(Date.now() - 2 * DAY_MS),
      }
      const old = await certificate(dates)
      return client({ issuer: await tlsServer(old), caFile: file('ca.pem', old.cert) })
    },
    step: 'tls',
    exitCode: 4,
    error: 'CERT_HAS_EXPIRED',
    says: ['expired on 20', 'Renew the certificate'],
  },
  'a certificate of another host': {
    async settings() {
      const other = await certificate({ name: 'other.example', ip: '127.9.9.9' })
      return client({ issuer: await tlsServer(other), caFile: file('ca.pem', other.cert) })
    },
    step: 'tls',
    exitCode: 4,
    error: 'ERR_TLS_CERT_ALTNAME_INVALID',
    says: ['DNS:other.example', 'not for 127.0.0.1'],
  },
  'https where plain http is served': {
    settings: () => client({ issuer: provider.issuer.replace('http:', 'https:') }),
    step: 'tls',
    exitCode: 4,
    says: ['does not speak TLS'],
  },
  'plain http to a host that is not loopback': {
    settings: () => client({ issuer: 'http://login.company.com' }),
    step: 'definition',
    exitCode: 3,
    error: 'invalid_definition',
    says: ['would send the secret by plain http'],
  },
  'a wrong scope': {
    settings: () => client({ scope: 'catalog' }),
    step: 'token',
    exitCode: 7,
    error: 'invalid_scope',
    says: ["Allow the scopes for this client at the authorization server: 'catalog'"],
  },
  'a wrong resource': {
    settings: () => client({ resource: 'urn:unknown' }),
    step: 'token',
    exitCode: 7,
    error: 'invalid_target',
    says: ['Check the resource: urn:unknown'],
  },
  'a client without the grant': {
    settings: () => client({ clientId: 'grantless', clientSecret: SECRET, scope: undefined }),
    step: 'token',
    exitCode: 7,
    error: 'invalid_request',
    says: ['Allow the client credentials grant'],
  },
  'DPoP that is required but not set': {
    settings: () => client({ clientId: 'bound', clientSecret: 'bound-secret', scope: undefined }),
    step: 'token',
    exitCode: 7,
    error: 'invalid_grant',
    says: ['--dpop here, dpop: true'],
  },
  'a public key in place of the private one': {
    settings: () => client({ clientSecret: undefined, keyFile: file('key.pem', keys.publicPem) }),
    step: 'definition',
    exitCode: 3,
    says: ['the private key is needed'],
  },
  'files that are missing, all of them named': {
    settings: () => ({ clientSecretFile: '/nowhere/secret', certFile: '/nowhere/cert' }),
    step: 'definition',
    exitCode: 3,
    says: ['/nowhere/secret: no such file', 'clientId: missing', 'issuer: missing', 'certKeyFile: missing'],
  },
  'an API that expects another audience': {
    settings: () => client({ api: `${provider.catalog.baseURL}list` }),
    step: 'api',
    exitCode: 8,
    error: 'invalid_token',
    says: ["The audience of the token is 'urn:invoice'"],
  },
  'an API that wants another scope': {
    settings: () => client({ scope: undefined, api: `${provider.invoice.baseURL}list` }),
    step: 'api',
    exitCode: 8,
    error: 'insufficient_scope',
    says: ['responds 403', "The API wants the scope 'invoice'"],
  },
  'an API that wants another scope, and does not say which': {
    settings: () => {
      const headers = { 'www-authenticate': 'Bearer error="insufficient_scope"' }
      provider.invoice.faults.fail(1, { status: 403, headers })
      return client({ scope: undefined, api: `${provider.invoice.baseURL}list` })
    },
    step: 'api',
    exitCode: 8,
    error: 'insufficient_scope',
    says: ['responds 403', 'The token has no scope'],
  },
  'an API that is down': {
    settings: async () => client({ api: `${await closedOrigin()}/list` }),
    step: 'api',
    exitCode: 8,
    error: 'ECONNREFUSED',
    says: ['nothing listens'],
  },
  'an API by plain http': {
    settings: () => client({ api: 'http://apis.company.com/list' }),
    step: 'api',
    exitCode: 8,
    says: ['no token is sent to http://apis.company.com'],
  },
}

test.each(Object.entries(CASES))('%s: the check says what is wrong, and what to do', async (_what, expected) => {
  const settings = await expected.settings()
  const report = await checked(settings)
  const step = failure(report)
  expect({ step: step.step, exitCode: report.exitCode, text: textOf(step) }).toMatchObject({
    step: expected.step,
    exitCode: expected.exitCode,
  })
  if (expected.error !== undefined) expect(step.error).toBe(expected.error)
  for (const text of expected.says) {
    if (typeof text === 'string') expect(textOf(step)).toContain(text)
    else expect(textOf(step)).toMatch(text)
  }
  expect(step.remedies?.length).toBeGreaterThan(0)
  const shown = JSON.stringify(report)
  for (const secret of [settings.clientSecret, provider.client('invoice.client').clientSecret])
    if (secret !== undefined) expect(shown).not.toContain(secret)
})

test('a method that the server does not accept for the client is told from a wrong secret', async () => {
  // A stand-in, because the local server accepts a secret both ways: this one accepts it in the form only.
  provider.tokenEndpointFaults.fail(1, { status: 401, body: { error: 'invalid_client' } })
  const report = await checked(client())
  expect(textOf(failure(report))).toContain('wants them by client_secret_post, not by client_secret_basic')
  expect(textOf(failure(report))).toContain('ClientSecretPost(secret)')
  expect(provider.tokenRequests.map(({ headers }) => headers.authorization !== undefined)).toEqual([true, false])
})

test('an API that accepts DPoP tokens only is told from one that rejects the token', async () => {
  provider.invoice.faults.fail(1, {
    status: 401,
    headers: { 'www-authenticate': 'DPoP error="invalid_token", algs="ES256"' },
  })
  const report = await checked(client({ api: `${provider.invoice.baseURL}list` }))
  expect(textOf(failure(report))).toContain('Request a DPoP token: --dpop')
})
