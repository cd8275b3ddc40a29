import { writeFileSync } from 'node:fs'
import { createTokenManager, jwtBearer } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import {
  awsWebIdentityToken,
  azureManagedIdentityToken,
  commandToken,
  fileToken,
  githubActionsToken,
  googleIdentityToken,
  type IdentityTokenSupplier,
} from '@tokenward/identity'
import { SkippableClock, startProvider } from '@tokenward/test-support'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createSigner, type Signer, startPlatform, temporaryFile } from './support'

const CLIENT_ID = 'invoice-worker'

interface World {
  readonly signer: Signer
  readonly issuer: string
  readonly sign: (audience?: string) => Promise<string>
}

/** A supplier, and what brings the next token to where the supplier finds it. */
interface Source {
  readonly supplier: IdentityTokenSupplier
  readonly rotate?: () => Promise<void>
}

const sources: Record<string, (world: World) => Promise<Source>> = {
  async 'a projected file'({ sign }) {
    const path = temporaryFile(await sign())
    return { supplier: fileToken(path), rotate: async () => writeFileSync(path, await sign()) }
  },
  async 'a command'({ sign }) {
    const path = temporaryFile(await sign())
    const code = `process.stdout.write(require('fs').readFileSync(${JSON.stringify(path)}, 'utf8'))`
    const supplier = commandToken(process.execPath, ['-e', code], { timeoutMs: 60_000 })
    return { supplier, rotate: async () => writeFileSync(path, await sign()) }
  },
  async 'GitHub Actions'({ sign }) {
    const { origin } = await startPlatform(async ({ query }) => ({ body: { value: await sign(query.audience) } }))
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: origin, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 't' }
    return { supplier: githubActionsToken({ env }) }
  },
  async 'Azure App Service'({ sign }) {
    const { origin } = await startPlatform(async ({ query }) => ({
      body: { access_token: await sign(query.resource), token_type: 'Bearer' },
    }))
    return { supplier: azureManagedIdentityToken({ env: { IDENTITY_ENDPOINT: origin, IDENTITY_HEADER: 'h' } }) }
  },
  async 'Google Cloud'({ sign }) {
    const { origin } = await startPlatform(async ({ query }) => ({
      headers: { 'metadata-flavor': 'Google' },
      body: await sign(query.audience),
    }))
    return { supplier: googleIdentityToken({ env: { GCE_METADATA_HOST: new URL(origin).host } }) }
  },
  async AWS({ sign }) {
    const { origin: endpoint } = await startPlatform(async ({ body }) => {
      const token = await sign(new URLSearchParams(body).get('Audience.member.1') ?? '')
      return { body: `<WebIdentityToken>${token}</WebIdentityToken>` }
    })
    const env = { AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 's' }
    return { supplier: awsWebIdentityToken({ env, endpoint }) }
  },
}

/**
 * The real authorization server, which verifies each assertion (`private_key_jwt`) and takes none twice; its API; and a manager that
 * authenticates by `source`.
 */
async function startWorld(source: (world: World) => Promise<Source>) {
  const signer = await createSigner()
  const metadata = {
    token_endpoint_auth_method: 'private_key_jwt',
    token_endpoint_auth_signing_alg: 'ES256',
    jwks: { keys: [signer.publicJwk] },
  }
  const provider = await startProvider({ clients: { c: { clientId: CLIENT_ID, metadata } } })
  const { issuer } = provider
  const sign = (audience = issuer) => signer.sign({ subject: CLIENT_ID, audience })
  const { supplier, rotate = async () => {} } = await source({ signer, issuer, sign })
  const clock = new SkippableClock()
  const tokens = createTokenManager({
    clients: { c: { issuer, clientId: CLIENT_ID, clientAssertion: supplier, scope: 'catalog', fetch: clock.fetch } },
    clock,
  } as Parameters<typeof createTokenManager>[0])
  onTestFinished(() => tokens.close())
  const api = createFetch(tokens, 'c', { baseURL: provider.catalog.baseURL })
  return { provider, tokens, api, clock, rotate, sign }
}

describe.each(Object.keys(sources))('%s', (name) => {
  test('the API accepts the token, after a rotation, across an expiry, and after a revocation', async () => {
    const source = sources[name]
    if (!source) throw new Error(name)
    const { provider, api, clock, rotate } = await startWorld(source)
    expect((await api('list')).status).toBe(200)
    await rotate()
    clock.skip(3_700_000)
    expect((await api('list')).status).toBe(200)
    await rotate()
    provider.revokeIssued()
    expect((await api('list')).status).toBe(200)
    expect(provider.catalog.requests.map(({ status }) => status)).toEqual([200, 200, 401, 200])
    expect(provider.tokenRequests.map(({ status }) => status)).toEqual([200, 200, 200])
  })
})

test('a file that was not rotated: the error names it, and the token goes on being used while it is valid', async () => {
  const { provider, tokens, api, clock } = await startWorld(async ({ signer, issuer }) => {
    const path = temporaryFile(await signer.sign({ subject: CLIENT_ID, audience: issuer }))
    const old = await signer.sign({ subject: CLIENT_ID, audience: issuer, expiresInSeconds: -3_600 })
    const supplier = fileToken(path)
    let calls = 0
    return {
      supplier: async (context) => {
        if (++calls === 2) writeFileSync(path, old)
        return supplier(context)
      },
    }
  })
  expect((await api('list')).status).toBe(200)
  const error = await tokens.getAccessToken('c', { forceRenewal: true }).catch((thrown) => thrown)
  expect(error).toMatchObject({
    error: 'credential_unavailable',
    step: 'supplier',
    cause: { code: 'identity_unavailable', reason: 'expired' },
  })
  expect(error.message).toMatch(
    /the clientAssertion supplier failed: token file: the file '.*' is a JWT that expired 36\d\d s ago/,
  )
  expect((await api('list')).status).toBe(200)
  clock.skip(3_700_000)
  await expect(api('list')).rejects.toMatchObject({ error: 'credential_unavailable' })
  expect(provider.tokenRequests).toHaveLength(1)
})

test('off its platform, a worker gets an error that says so', async () => {
  const { tokens } = await startWorld(async () => ({ supplier: githubActionsToken({ env: {} }) }))
  await expect(tokens.getAccessToken('c')).rejects.toThrow(
    'the clientAssertion supplier failed: GitHub Actions: not running on GitHub Actions: ' +
      'environment variable ACTIONS_ID_TOKEN_REQUEST_URL is not set',
  )
})

test('the assertion of the JWT bearer grant, renewed: the token of one subject, under one key', async () => {
  const signer = await createSigner()
  const forms: Record<string, string>[] = []
  const server = await startPlatform(({ body }) => {
    forms.push(Object.fromEntries(new URLSearchParams(body)))
    return { body: { access_token: `t${forms.length}`, token_type: 'Bearer', expires_in: 300 } }
  })
  const path = temporaryFile(await signer.sign({ subject: 'system:serviceaccount:a:b', audience: server.origin }))
  const requester = jwtBearer({ assertion: fileToken(path) })
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: `${server.origin}/token`, clientId: 'c', clientSecret: 's', requester } },
  })
  onTestFinished(() => tokens.close())
  expect((await tokens.getAccessToken('c')).value).toBe('t1')
  const next = await signer.sign({ subject: 'system:serviceaccount:a:b', audience: server.origin })
  writeFileSync(path, next)
  expect((await tokens.getAccessToken('c')).value).toBe('t1')
  expect((await tokens.getAccessToken('c', { forceRenewal: true })).value).toBe('t2')
  expect(forms[1]?.assertion).toBe(next)
})

test('an abort of the manager reaches the platform: its request ends', async () => {
  let [called, ended] = [false, false]
  const { tokens } = await startWorld(async () => ({
    supplier: ({ signal }) =>
      new Promise((_, reject) => {
        called = true
        signal?.addEventListener('abort', () => {
          ended = true
          reject(signal.reason)
        })
      }),
  }))
  const call = tokens.getAccessToken('c').catch((error) => error)
  await expect.poll(() => called).toBe(true)
  await tokens.close()
  await call
  expect(ended).toBe(true)
})
