import { type ClientDefinition, createTokenManager, type TokenManager } from '@tokenward/core'
import { entraFederation, githubActionsToken, googleFederation } from '@tokenward/identity'
import { jwtVerify } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { createSigner, jwt, startPlatform, temporaryFile } from './support'

/** Sends the requests for `host` to a server of the test: the hosts of the presets are real. */
const redirectTo =
  (origin: string, seen: string[] = []): typeof fetch =>
  (input, init) => {
    const url = new URL(String(input))
    seen.push(url.href)
    return fetch(`${origin}${url.pathname}`, init)
  }

function managerOf(definition: ClientDefinition): TokenManager<'c'> {
  const tokens = createTokenManager({ clients: { c: definition } })
  onTestFinished(() => tokens.close())
  return tokens
}

/** GitHub's token endpoint, with a key: what it issues can be verified. */
async function startGithub() {
  const signer = await createSigner()
  const server = await startPlatform(async ({ query: { audience = '' }, headers }) =>
    headers.authorization === 'Bearer request-token'
      ? { body: { value: await signer.sign({ subject: 'repo:org/repo:ref:refs/heads/main', audience }) } }
      : { status: 401 },
  )
  const env = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${server.origin}/token?v=1`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
  }
  return { ...signer, env }
}

const PROVIDER = 'projects/123/locations/global/workloadIdentityPools/pool/providers/github'

/** Google's Security Token Service: it knows no client, and verifies the subject token. */
async function startSts(key: Awaited<ReturnType<typeof startGithub>>['publicJwk']) {
  const forms: Record<string, string>[] = []
  const server = await startPlatform(async ({ method, path, headers, body }) => {
    const form = Object.fromEntries(new URLSearchParams(body))
    forms.push(form)
    // Its reference says: no Authorization header.
    if (method !== 'POST' || path !== '/v1/token' || headers.authorization)
      return { status: 400, body: { error: 'invalid_request' } }
    try {
      await jwtVerify(form.subject_token ?? '', key, { audience: `https://iam.googleapis.com/${PROVIDER}` })
    } catch {
      return { status: 400, body: { error: 'invalid_grant', error_description: form.subject_token } }
    }
    const access_token = `google-${forms.length}`
    return {
      body: {
        access_token,
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: 3_599,
      },
    }
  })
  return { ...server, forms }
}

test('Google: the token of GitHub Actions is exchanged, with the parameters of the reference and no client', async () => {
  const github = await startGithub()
  const sts = await startSts(github.publicJwk)
  const urls: string[] = []
  const tokens = managerOf({
    ...googleFederation({ provider: PROVIDER, subjectToken: githubActionsToken({ env: github.env }) }),
    fetch: redirectTo(sts.origin, urls),
  })
  const token = await tokens.getAccessToken('c')
  expect(token).toMatchObject({ value: 'google-1', type: 'Bearer' })
  expect(urls).toEqual(['https://sts.googleapis.com/v1/token'])
  const { subject_token, ...rest } = sts.forms[0] ?? {}
  expect(rest).toEqual({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    audience: `//iam.googleapis.com/${PROVIDER}`,
    scope: 'https://www.googleapis.com/auth/cloud-platform',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  })
  expect((await tokens.getAccessToken('c')).value).toBe('google-1')
  await tokens.getAccessToken('c', { forceRenewal: true })
  expect(sts.forms[1]?.subject_token).not.toBe(subject_token)
})

test('Google: a refusal that quotes the subject token does not bring it into the error', async () => {
  const [github, another] = [await startGithub(), await startGithub()]
  const sts = await startSts(another.publicJwk)
  const tokens = managerOf({
    ...googleFederation({ provider: PROVIDER, subjectToken: githubActionsToken({ env: github.env }) }),
    fetch: redirectTo(sts.origin),
  })
  const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
  expect(error).toMatchObject({ error: 'invalid_grant' })
  for (const part of String(sts.forms[0]?.subject_token).split('.')) expect(error.message).not.toContain(part)
})

/** The token endpoint of a tenant of Entra. */
async function startEntra(audience: string, key?: Awaited<ReturnType<typeof startGithub>>['publicJwk']) {
  const forms: Record<string, string>[] = []
  const server = await startPlatform(async ({ body, path }) => {
    const form = Object.fromEntries(new URLSearchParams(body))
    forms.push(form)
    if (path !== '/tenant.example/oauth2/v2.0/token') return { status: 404 }
    if (key) await jwtVerify(form.client_assertion ?? '', key, { audience })
    return {
      body: { token_type: 'Bearer', expires_in: 3_599, ext_expires_in: 3_599, access_token: `e${forms.length}` },
    }
  })
  return { ...server, forms }
}

const scope = 'https://graph.microsoft.com/.default'

test('Entra: the token of GitHub Actions is the client assertion, for the audience of federated credentials', async () => {
  const github = await startGithub()
  const entra = await startEntra('api://AzureADTokenExchange', github.publicJwk)
  const urls: string[] = []
  const clientAssertion = githubActionsToken({ env: github.env })
  const tokens = managerOf({
    ...entraFederation({ tenantId: 'tenant.example', clientId: 'app', clientAssertion, scope, env: {} }),
    fetch: redirectTo(entra.origin, urls),
  })
  expect((await tokens.getAccessToken('c')).value).toBe('e1')
  expect(urls).toEqual(['https://login.microsoftonline.com/tenant.example/oauth2/v2.0/token'])
  const { client_assertion, ...rest } = entra.forms[0] ?? {}
  expect(client_assertion).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
  expect(rest).toEqual({
    grant_type: 'client_credentials',
    client_id: 'app',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    scope,
  })
})

test('Entra: in a pod of AKS, only the scope is needed', async () => {
  const token = jwt()
  const entra = await startEntra('api://AzureADTokenExchange')
  const urls: string[] = []
  const env = {
    AZURE_TENANT_ID: 'tenant.example',
    AZURE_CLIENT_ID: 'app',
    AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us/',
    AZURE_FEDERATED_TOKEN_FILE: temporaryFile(token),
  }
  const tokens = managerOf({ ...entraFederation({ scope, env }), fetch: redirectTo(entra.origin, urls) })
  expect((await tokens.getAccessToken('c')).value).toBe('e1')
  expect(urls).toEqual(['https://login.microsoftonline.us/tenant.example/oauth2/v2.0/token'])
  expect(entra.forms).toMatchObject([{ client_id: 'app', client_assertion: token }])
})

test('what is missing is named, with its environment variable', () => {
  expect(() => entraFederation({ scope: '', env: {} })).toThrow(
    expect.objectContaining({
      problems: [
        {
          option: 'entraFederation: tenantId',
          message: 'is required: environment variable AZURE_TENANT_ID is not set',
        },
        {
          option: 'entraFederation: clientId',
          message: 'is required: environment variable AZURE_CLIENT_ID is not set',
        },
        { option: 'entraFederation: scope', message: 'is required, such as https://graph.microsoft.com/.default' },
      ],
    }),
  )
  for (const tenantId of ['../evil', '..', 'a/b', 'a?b']) {
    expect(() => entraFederation({ scope, tenantId, clientId: 'a', env: {} })).toThrow('neither an id nor a domain')
  }
  expect(() => googleFederation({ provider: 'pool', subjectToken: githubActionsToken() })).toThrow(
    'workloadIdentityPools',
  )
})
