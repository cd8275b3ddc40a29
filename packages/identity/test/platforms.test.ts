import {
  awsWebIdentityToken,
  azureManagedIdentityToken,
  githubActionsToken,
  googleIdentityToken,
} from '@tokenward/identity'
// What signs requests for AWS elsewhere: independent of this project.
import aws4 from 'aws4'
import { expect, test } from 'vitest'
import { call, failure, jwt, type PlatformRequest, patientClock, startPlatform, temporaryFile } from './support'

test('GitHub Actions: the request is as documented: the bearer token, and the audience added to the query of the URL', async () => {
  const token = jwt()
  const { origin, requests } = await startPlatform(() => ({ body: { value: token, count: 1 } }))
  const env = {
    ACTIONS_ID_TOKEN_REQUEST_URL: `${origin}/idtoken/123?api-version=2.0`,
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token',
  }
  expect(await call(githubActionsToken({ env, audience: 'https://iam.googleapis.com/projects/1' }))).toBe(token)
  expect(requests).toMatchObject([
    {
      method: 'GET',
      path: '/idtoken/123',
      query: { 'api-version': '2.0', audience: 'https://iam.googleapis.com/projects/1' },
      headers: { authorization: 'Bearer request-token' },
    },
  ])
})

/** App Service as its REST reference says: the secret header is checked. */
const appService = () =>
  startPlatform(({ path, query, headers }) => {
    if (path !== '/msi/token' || query['api-version'] !== '2019-08-01') return { status: 400 }
    if (headers['x-identity-header'] !== 'the-header') return { status: 401 }
    if (query.client_id === 'unknown') return { status: 400, body: { statusCode: 400, message: 'no identity' } }
    return { body: { access_token: jwt({ aud: query.resource }), expires_on: '1586984735', token_type: 'Bearer' } }
  })

test.each([
  [{}, {}],
  [{ clientId: 'id' }, { client_id: 'id' }],
  [{ objectId: 'id' }, { principal_id: 'id' }],
  [{ resourceId: '/subscriptions/a' }, { mi_res_id: '/subscriptions/a' }],
])('App Service: the identity %j is asked for by %j, with X-IDENTITY-HEADER', async (options, query) => {
  const { origin, requests } = await appService()
  const env = { IDENTITY_ENDPOINT: `${origin}/msi/token`, IDENTITY_HEADER: 'the-header' }
  await call(azureManagedIdentityToken({ env, ...options }), 'api://AzureADTokenExchange')
  expect(requests[0]?.query).toEqual({ 'api-version': '2019-08-01', resource: 'api://AzureADTokenExchange', ...query })
})

test('App Service: an unknown identity and a wrong header: the error says what to look at', async () => {
  const { origin } = await appService()
  const env = { IDENTITY_ENDPOINT: `${origin}/msi/token`, IDENTITY_HEADER: 'the-header' }
  const unknown = await failure(azureManagedIdentityToken({ env, clientId: 'unknown' }))
  expect(unknown.message).toBe(`Azure: ${origin}/msi/token responded with 400: this resource may have no such identity`)
  const wrong = await failure(azureManagedIdentityToken({ env: { ...env, IDENTITY_HEADER: 'wrong' } }))
  expect(wrong.message).toContain('responded with 401: IDENTITY_HEADER was not accepted')
})

test.each([
  [{}, {}],
  [{ clientId: 'id' }, { client_id: 'id' }],
  [{ objectId: 'id' }, { object_id: 'id' }],
  [{ resourceId: '/subscriptions/a' }, { msi_res_id: '/subscriptions/a' }],
])('Azure IMDS: the identity %j is asked for by %j, with Metadata: true', async (options, query) => {
  const { origin, requests } = await startPlatform(({ headers }) => {
    if (headers.metadata !== 'true' || headers['x-forwarded-for']) return { status: 400 }
    return { body: { access_token: jwt(), token_type: 'Bearer' } }
  })
  await call(azureManagedIdentityToken({ env: {}, imdsOrigin: origin, ...options }), 'api://x')
  expect(requests).toMatchObject([{ method: 'GET', path: '/metadata/identity/oauth2/token' }])
  expect(requests[0]?.query).toEqual({ 'api-version': '2018-02-01', resource: 'api://x', ...query })
})

test.each([404, 410])('Azure IMDS: %d passes, as its documentation says', async (status) => {
  let refusals = 2
  const body = { access_token: jwt(), token_type: 'Bearer' }
  const { origin } = await startPlatform(() => (refusals-- > 0 ? { status } : { body }))
  const supplier = azureManagedIdentityToken({ env: {}, imdsOrigin: origin, clock: patientClock })
  expect(await call(supplier)).toBe(body.access_token)
})

test('Azure: two identities at once are refused', () => {
  expect(() => azureManagedIdentityToken({ clientId: 'a', objectId: 'b' })).toThrow('at most one of clientId')
})

test('Google Cloud: the request is as documented', async () => {
  const { origin, requests } = await startPlatform(({ headers }) =>
    headers['metadata-flavor'] === 'Google'
      ? { headers: { 'metadata-flavor': 'Google' }, body: jwt() }
      : { status: 403, headers: { 'metadata-flavor': 'Google' } },
  )
  const env = { GCE_METADATA_HOST: new URL(origin).host }
  await call(googleIdentityToken({ env }), 'https://as.example')
  await call(googleIdentityToken({ env, serviceAccount: 'a@p.iam.gserviceaccount.com', claims: 'standard' }), 'b')
  expect(requests.map(({ method, path, query }) => ({ method, path: decodeURIComponent(path), query }))).toEqual([
    {
      method: 'GET',
      path: '/computeMetadata/v1/instance/service-accounts/default/identity',
      query: { audience: 'https://as.example', format: 'full' },
    },
    {
      method: 'GET',
      path: '/computeMetadata/v1/instance/service-accounts/a@p.iam.gserviceaccount.com/identity',
      query: { audience: 'b', format: 'standard' },
    },
  ])
})

test('Google Cloud: a response without Metadata-Flavor is from elsewhere, and its token is not used', async () => {
  const { origin } = await startPlatform(() => ({ body: jwt() }))
  const error = await failure(googleIdentityToken({ env: { GCE_METADATA_HOST: new URL(origin).host } }))
  expect(error.reason).toBe('invalid_response')
  expect(error.message).toContain('has no Metadata-Flavor: Google')
})

const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret-access-key', sessionToken: 'session-token' }

// aws4 would sign the length too. It is up to the client which headers it signs.
const unsigned: object = { extraHeadersToIgnore: { 'content-length': true } }

/** Whether a request to STS is signed as `aws4` signs it. */
function isSigned({ headers, body }: PlatformRequest): boolean {
  const { authorization, host = '', 'x-amz-date': date = '', 'content-type': type = '' } = headers
  const signed = aws4.sign(
    {
      service: 'sts',
      region: 'eu-central-1',
      method: 'POST',
      host,
      path: '/',
      headers: { 'Content-Type': type, 'X-Amz-Date': String(date) },
      body,
      ...unsigned,
    },
    credentials,
  )
  return signed.headers?.Authorization === authorization && headers['x-amz-security-token'] === 'session-token'
}

/** STS as the API reference says: the signature is checked. */
const sts = () =>
  startPlatform((request) => {
    const { Action, SigningAlgorithm, 'Audience.member.1': aud } = Object.fromEntries(new URLSearchParams(request.body))
    const refuse = (status: number, code: string) => ({
      status,
      body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>secret-access-key</Message></Error></ErrorResponse>`,
    })
    if (!isSigned(request)) return refuse(403, 'SignatureDoesNotMatch')
    if (Action !== 'GetWebIdentityToken' || !SigningAlgorithm || !aud) return refuse(400, 'ValidationError')
    if (aud === 'disabled') return refuse(403, 'OutboundWebIdentityFederationDisabled')
    return {
      body: `<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult>
        <WebIdentityToken>${jwt({ aud })}</WebIdentityToken><Expiration>2026-11-28T12:00:00Z</Expiration>
      </GetWebIdentityTokenResult></GetWebIdentityTokenResponse>`,
    }
  })

const environment = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  AWS_SESSION_TOKEN: credentials.sessionToken,
}

test('AWS: the request is signed, and has the parameters of the API reference', async () => {
  const { origin, requests } = await sts()
  const options = { endpoint: origin, signingAlgorithm: 'ES384', durationSeconds: 600 } as const
  await call(awsWebIdentityToken({ env: environment, ...options }), 'https://as.example/ü')
  expect(Object.fromEntries(new URLSearchParams(requests[0]?.body))).toEqual({
    Action: 'GetWebIdentityToken',
    Version: '2011-06-15',
    'Audience.member.1': 'https://as.example/ü',
    SigningAlgorithm: 'ES384',
    DurationSeconds: '600',
  })
})

test('AWS: the code of a refusal is in the error, and nothing secret', async () => {
  const { origin: endpoint } = await sts()
  const disabled = await failure(awsWebIdentityToken({ env: environment, endpoint, audience: 'disabled' }))
  expect(disabled.message).toBe(`AWS: ${endpoint}/ responded with 403 (OutboundWebIdentityFederationDisabled)`)
  const env = { ...environment, AWS_SECRET_ACCESS_KEY: 'another' }
  expect((await failure(awsWebIdentityToken({ env, endpoint }))).message).toContain('(SignatureDoesNotMatch)')
})

test('AWS: credentials can come from a function, such as one of the SDK', async () => {
  const { origin: endpoint } = await sts()
  const supplier = awsWebIdentityToken({
    env: {},
    endpoint,
    region: 'eu-central-1',
    credentials: async () => credentials,
  })
  expect(await call(supplier)).toContain('.')
})

const endpointCredentials = {
  AccessKeyId: credentials.accessKeyId,
  SecretAccessKey: credentials.secretAccessKey,
  Token: credentials.sessionToken,
  Expiration: '2026-11-28T12:00:00Z',
}

test('AWS: credentials of EKS Pod Identity, whose token is read from its file for each request', async () => {
  const { origin: endpoint } = await sts()
  const agent = await startPlatform(({ path, headers }) =>
    path === '/v1/credentials' && headers.authorization === 'pod-token'
      ? { body: endpointCredentials }
      : { status: 401 },
  )
  const env = {
    AWS_REGION: 'eu-central-1',
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.origin}/v1/credentials`,
    AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: temporaryFile('pod-token\n'),
  }
  expect(await call(awsWebIdentityToken({ env, endpoint }))).toContain('.')
})

test('AWS: credentials of a role for a service account of EKS, not those of the node', async () => {
  const node = await startPlatform(() => ({ status: 500 }))
  const webIdentity = jwt()
  const { origin: endpoint, requests } = await startPlatform(async ({ headers, body }) => {
    const form = Object.fromEntries(new URLSearchParams(body))
    if (form.Action === 'GetWebIdentityToken') {
      const isFromRole = String(headers.authorization).includes('Credential=AKID/')
      return isFromRole ? { body: `<WebIdentityToken>${jwt()}</WebIdentityToken>` } : { status: 403 }
    }
    if (headers.authorization || form.WebIdentityToken !== webIdentity) return { status: 403 }
    const [id, key, token] = Object.values(credentials)
    return {
      body: `<AssumeRoleWithWebIdentityResult><Credentials><SessionToken>${token}</SessionToken>
        <SecretAccessKey>${key}</SecretAccessKey><Expiration>2026-11-28T12:00:00Z</Expiration>
        <AccessKeyId>${id}</AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult>`,
    }
  })
  const env = {
    AWS_REGION: 'eu-central-1',
    AWS_ROLE_ARN: 'arn:aws:iam::1:role/a',
    AWS_WEB_IDENTITY_TOKEN_FILE: temporaryFile(webIdentity),
  }
  expect(await call(awsWebIdentityToken({ env, endpoint, imdsOrigin: node.origin }))).toContain('.')
  expect(node.requests).toEqual([])
  expect(Object.fromEntries(new URLSearchParams(requests[0]?.body))).toEqual({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::1:role/a',
    RoleSessionName: 'tokenward',
    WebIdentityToken: webIdentity,
  })
})

test.each(['http://elsewhere.example/', 'http://169.254.170.3/', 'ftp://127.0.0.1/', 'nonsense'])(
  'AWS: the token of the container does not go to %s',
  async (url) => {
    const env = { AWS_CONTAINER_CREDENTIALS_FULL_URI: url, AWS_CONTAINER_AUTHORIZATION_TOKEN: 'pod-token' }
    const error = await failure(awsWebIdentityToken({ env, region: 'eu-west-1' }))
    expect(error).toMatchObject({ reason: 'invalid_response' })
  },
)

test('AWS: a relative URI cannot lead to another host', async () => {
  const env = { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: '@elsewhere.example/', AWS_CONTAINER_AUTHORIZATION_TOKEN: 't' }
  expect(await failure(awsWebIdentityToken({ env, region: 'eu-west-1' }))).toMatchObject({ reason: 'invalid_response' })
})

test('AWS: credentials and region of an EC2 instance, by IMDSv2', async () => {
  const { origin: endpoint } = await sts()
  const imds = await startPlatform(({ method, path, headers }) => {
    if (path === '/latest/api/token') {
      return method === 'PUT' && headers['x-aws-ec2-metadata-token-ttl-seconds'] ? { body: 'session' } : { status: 405 }
    }
    if (headers['x-aws-ec2-metadata-token'] !== 'session') return { status: 401 }
    const bodies: Record<string, string | object> = {
      '/latest/meta-data/iam/security-credentials/': 'the-role',
      '/latest/meta-data/iam/security-credentials/the-role': { Code: 'Success', ...endpointCredentials },
      '/latest/meta-data/placement/region': 'eu-central-1',
    }
    const body = bodies[path]
    return body === undefined ? { status: 404 } : { body }
  })
  expect(await call(awsWebIdentityToken({ env: {}, endpoint, imdsOrigin: imds.origin }))).toContain('.')
  const env = { AWS_EC2_METADATA_DISABLED: 'true' }
  const error = await failure(awsWebIdentityToken({ env, endpoint, imdsOrigin: imds.origin }))
  expect(error.message).toContain('AWS_EC2_METADATA_DISABLED is true')
})

test('AWS: the request goes to the endpoint of the region', async () => {
  const urls: string[] = []
  const send: typeof fetch = async (url) => {
    urls.push(String(url))
    return new Response(null, { status: 403 })
  }
  for (const region of ['us-east-1', 'cn-north-1', 'evil.example/']) {
    await failure(awsWebIdentityToken({ env: environment, region, fetch: send }))
  }
  expect(urls).toEqual(['https://sts.us-east-1.amazonaws.com/', 'https://sts.cn-north-1.amazonaws.com.cn/'])
})
