import http, { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  awsWebIdentityToken,
  azureManagedIdentityToken,
  githubActionsToken,
  googleIdentityToken,
  type HttpIdentityTokenOptions,
  type IdentityTokenSupplier,
} from '@tokenward/identity'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { call, failure, jwt, type PlatformHandler, type PlatformReply, patientClock, startPlatform } from './support'

/** A platform whose supplier asks an HTTP endpoint. What all of them have in common is tested here. */
interface Platform {
  readonly name: string
  /** What has to be kept secret of the requests. */
  readonly secrets: readonly string[]
  supplier(origin: string, options?: HttpIdentityTokenOptions): IdentityTokenSupplier
  reply(token: unknown): PlatformReply
  /** Headers that every response has. */
  readonly headers?: Readonly<Record<string, string>>
}

const platforms: readonly Platform[] = [
  {
    name: 'GitHub Actions',
    secrets: ['request-token'],
    supplier: (origin, options) =>
      githubActionsToken({
        env: { ACTIONS_ID_TOKEN_REQUEST_URL: `${origin}/t?v=2`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request-token' },
        ...options,
      }),
    reply: (value) => ({ body: { value, count: 1_857 } }),
  },
  {
    name: 'Azure App Service',
    secrets: ['identity-header'],
    supplier: (origin, options) =>
      azureManagedIdentityToken({
        env: { IDENTITY_ENDPOINT: `${origin}/msi/token`, IDENTITY_HEADER: 'identity-header' },
        ...options,
      }),
    reply: (access_token) => ({
      body: { access_token, expires_on: '1586984735', resource: 'r', token_type: 'Bearer' },
    }),
  },
  {
    name: 'Azure IMDS',
    secrets: [],
    supplier: (imdsOrigin, options) => azureManagedIdentityToken({ env: {}, imdsOrigin, ...options }),
    reply: (access_token) => ({ body: { access_token, expires_in: '3599', resource: 'r', token_type: 'Bearer' } }),
  },
  {
    name: 'Google Cloud',
    secrets: [],
    headers: { 'metadata-flavor': 'Google' },
    supplier: (origin, options) =>
      googleIdentityToken({ env: { GCE_METADATA_HOST: new URL(origin).host }, ...options }),
    reply: (token) => ({ headers: { 'metadata-flavor': 'Google' }, body: String(token ?? '') }),
  },
  {
    name: 'AWS',
    secrets: ['secret-access-key', 'session-token'],
    supplier: (endpoint, options) =>
      awsWebIdentityToken({
        endpoint,
        env: {
          AWS_REGION: 'eu-central-1',
          AWS_ACCESS_KEY_ID: 'AKID',
          AWS_SECRET_ACCESS_KEY: 'secret-access-key',
          AWS_SESSION_TOKEN: 'session-token',
        },
        ...options,
      }),
    reply: (token) => ({
      body: `<GetWebIdentityTokenResponse><GetWebIdentityTokenResult><WebIdentityToken>${token}</WebIdentityToken></GetWebIdentityTokenResult></GetWebIdentityTokenResponse>`,
    }),
  },
]

/** A function, so that each platform of `describe.each` starts its own server. */
const startFor = async (platform: Platform, handler: PlatformHandler, options: HttpIdentityTokenOptions = {}) => {
  const server = await startPlatform(handler)
  const supplier = platform.supplier(server.origin, { clock: patientClock, ...options })
  return { ...server, supplier }
}

describe.each(platforms)('$name', (platform) => {
  const { headers = {} } = platform

  test('each call asks anew, so that a rotated token is used at once', async () => {
    const issued: string[] = []
    const { supplier } = await startFor(platform, () => platform.reply(issued[issued.push(jwt()) - 1]))
    expect([await call(supplier), await call(supplier)]).toEqual(issued)
    expect(issued).toHaveLength(2)
  })

  test('the audience of the call is asked for', async () => {
    const { supplier, requests } = await startFor(platform, () => platform.reply(jwt()))
    await call(supplier, 'https://as.example/a b&c=d')
    const [{ query, body } = { query: {}, body: '' }] = requests
    const values = [...Object.values(query), ...new URLSearchParams(body).values()]
    expect(values).toContain('https://as.example/a b&c=d')
  })

  test.each([400, 401, 403])('a refusal with %d is not repeated, and the error shows only its code', async (status) => {
    const secret = platform.secrets[0] ?? 'none'
    const body = { error: 'invalid_request', error_description: `quoted ${secret}`, message: secret }
    const { supplier, requests } = await startFor(platform, () => ({ status, headers, body }))
    const error = await failure(supplier)
    expect(error).toMatchObject({ code: 'identity_unavailable', reason: 'refused', status })
    expect(error.message).toContain(`responded with ${status} (invalid_request)`)
    expect(error.message).not.toContain('quoted')
    expect(requests).toHaveLength(1)
  })

  test('a code that is part of a secret that was sent is not shown', async () => {
    for (const secret of platform.secrets.filter((each) => /^[a-z_]+$/i.test(each))) {
      const { supplier } = await startFor(platform, () => ({ status: 400, headers, body: { error: secret } }))
      expect((await failure(supplier)).message).not.toContain(secret)
    }
  })

  test.each([429, 500, 503])('%d: it is tried again, three times at most', async (status) => {
    let refusals = 2
    const token = jwt()
    const once = await startFor(platform, () => (refusals-- > 0 ? { status, headers } : platform.reply(token)))
    expect(await call(once.supplier)).toBe(token)
    expect(once.requests).toHaveLength(3)
    const always = await startFor(platform, () => ({ status, headers }))
    expect(await failure(always.supplier)).toMatchObject({ reason: 'refused', status })
    expect(always.requests).toHaveLength(3)
  })

  test('a redirect is not followed', async () => {
    const other = await startPlatform(() => platform.reply(jwt()))
    const location = { ...headers, location: `${other.origin}/elsewhere` }
    const { supplier } = await startFor(platform, () => ({ status: 307, headers: location }))
    expect(await failure(supplier)).toMatchObject({ reason: 'invalid_response', status: 307 })
    expect(other.requests).toEqual([])
  })

  test.each<[string, unknown, string]>([
    ['nothing', undefined, 'invalid_response'],
    ['no JWT', 'secret-password', 'invalid_response'],
    ['an expired JWT', jwt({ exp: Math.floor(Date.now() / 1_000) - 300 }), 'expired'],
    ['a far too long one', `${jwt()}${'secret'.repeat(12_000)}`, 'invalid_response'],
  ])('a response with %s is refused, and not shown', async (_, token, reason) => {
    const { supplier } = await startFor(platform, () => platform.reply(token))
    const error = await failure(supplier)
    expect(error.reason).toBe(reason)
    expect(error.message).not.toContain('secret')
  })

  test('whether a token has expired is told by the clock of the platform, if it says the time', async () => {
    const clock = { ...patientClock, now: () => Date.now() + 3_600_000 }
    const token = jwt()
    const { supplier } = await startFor(platform, () => platform.reply(token), { clock })
    expect(await call(supplier)).toBe(token)
  })

  test('an endless response is cut off', async () => {
    const { supplier } = await startFor(platform, () => ({ headers, body: 'secret'.repeat(200_000) }))
    const error = await failure(supplier)
    expect(error).toMatchObject({ reason: 'invalid_response' })
    expect(error.message).toContain('longer than any token')
  })

  test('no response: the call ends at the time limit, and at an abort', async () => {
    const { supplier } = await startFor(platform, () => 'hang', { timeoutMs: 50, clock: undefined })
    expect(await failure(supplier)).toMatchObject({
      reason: 'timeout',
      message: expect.stringContaining('within 50 ms'),
    })
    const patient = await startFor(platform, () => 'hang', { timeoutMs: 600_000 })
    const controller = new AbortController()
    const aborted = call(patient.supplier, undefined, controller.signal)
    await vi.waitFor(() => expect(patient.requests).toHaveLength(1), { timeout: 30_000 })
    controller.abort(new Error('enough'))
    await expect(aborted).rejects.toThrow('enough')
  })

  test('a connection that breaks: the error names the endpoint, and no secret', async () => {
    const { supplier, origin } = await startFor(platform, () => 'reset')
    const error = await failure(supplier)
    expect(error.reason).toBe('network_error')
    expect(error.message).toContain(`the connection to ${origin}`)
    for (const secret of platform.secrets) expect(error.message).not.toContain(secret)
  })

  test('a fetch of the caller is used', async () => {
    const send = vi.fn<typeof fetch>((...args) => fetch(...args))
    const { supplier } = await startFor(platform, () => platform.reply(jwt()), { fetch: send })
    await call(supplier)
    expect(send).toHaveBeenCalledTimes(1)
  })
})

test.each(platforms.filter(({ name }) => /^(Azure|Google)/.test(name)))(
  '$name: the endpoint of the machine is asked without a proxy, whatever the program has set for its fetch',
  async (platform) => {
    const [original, agent] = [globalThis.fetch, http.globalAgent]
    globalThis.fetch = () => Promise.reject(new Error('through the proxy'))
    onTestFinished(() => {
      globalThis.fetch = original
      http.globalAgent = agent
    })
    // What NODE_USE_ENV_PROXY does, for Node's own client.
    const proxyEnv = { HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' }
    http.globalAgent = new http.Agent({ proxyEnv } as http.AgentOptions)
    const { supplier } = await startFor(platform, () => platform.reply(jwt()))
    expect(await call(supplier)).toContain('.')
  },
)

/** A port where nothing listens. */
async function closedOrigin(): Promise<string> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return `http://127.0.0.1:${port}`
}

describe('off the platform', () => {
  test('GitHub Actions', async () => {
    expect((await failure(githubActionsToken({ env: {} }))).message).toBe(
      'GitHub Actions: not running on GitHub Actions: environment variable ACTIONS_ID_TOKEN_REQUEST_URL is not set',
    )
    const error = await failure(githubActionsToken({ env: { GITHUB_ACTIONS: 'true' } }))
    expect(error).toMatchObject({ reason: 'not_available' })
    expect(error.message).toContain("give it the permission 'id-token: write'")
  })

  test('GitHub Actions: the request token goes to no plain-http URL', async () => {
    const env = { ACTIONS_ID_TOKEN_REQUEST_URL: 'http://elsewhere.example/', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 't' }
    const send = vi.fn<typeof fetch>()
    expect(await failure(githubActionsToken({ env, fetch: send }))).toMatchObject({ reason: 'invalid_response' })
    expect(send).not.toHaveBeenCalled()
  })

  test('Azure', async () => {
    const imdsOrigin = await closedOrigin()
    const error = await failure(azureManagedIdentityToken({ env: {}, imdsOrigin }))
    expect(error.message).toBe(
      `Azure: the connection to ${imdsOrigin}/metadata/identity/oauth2/token failed (ECONNREFUSED): not running on Azure: ` +
        'IDENTITY_ENDPOINT is not set, and there is no instance metadata service',
    )
  })

  test.each([
    [{ IDENTITY_ENDPOINT: 'http://127.0.0.1/' }, 'IDENTITY_HEADER is not set'],
    [
      { IDENTITY_ENDPOINT: 'http://elsewhere.example/', IDENTITY_HEADER: 'h' },
      'neither an https URL nor on this machine',
    ],
    [{ IDENTITY_ENDPOINT: 'http://127.0.0.1/', IMDS_ENDPOINT: 'http://127.0.0.1/' }, 'Azure Arc are not supported'],
    [{ IDENTITY_ENDPOINT: 'https://x/', IDENTITY_SERVER_THUMBPRINT: 'a' }, 'Service Fabric are not supported'],
  ])('Azure with %j', async (env, message) => {
    expect((await failure(azureManagedIdentityToken({ env }))).message).toContain(message)
  })

  test('Google Cloud', async () => {
    const { host } = new URL(await closedOrigin())
    const error = await failure(googleIdentityToken({ env: { GCE_METADATA_HOST: host } }))
    expect(error.message).toContain('not running on Google Cloud, or the metadata server is not reachable')
  })

  test('AWS', async () => {
    const imdsOrigin = await closedOrigin()
    const error = await failure(awsWebIdentityToken({ env: {}, imdsOrigin, region: 'eu-west-1' }))
    expect(error.message).toContain(
      'not running on AWS: neither AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set',
    )
  })
})
