import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { inspect } from 'node:util'
import {
  type ClientConfiguration,
  createRequestAuthorizer,
  createTokenManager,
  type TokenRequest,
} from '@tokenward/core'
import { expect, test } from 'vitest'
import { settle } from './support'

const SECRET = 'the-client-secret+%'
const TOKEN = 'eyJ.the-access-token'
const ASSERTION = 'eyJ.the-assertion'
const PARAMETER = 'the-secret-parameter'

const isSupplierError = (error: Error) => 'error' in error && error.error === 'credential_unavailable'

/** `value` in every form in which a person or a logger can print it. */
function printed(value: unknown): string {
  const chunks: string[] = []
  const stream = new Writable({ write: (chunk, _encoding, done) => done(void chunks.push(String(chunk))) })
  new Console(stream).log(value)
  new Console(stream).dir(value, { depth: null, showHidden: true })
  chunks.push(inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true }))
  chunks.push(inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true }))
  // Only this combination calls the getter of a supplier's cause, which is the user's own error.
  const getters = !(value instanceof Error && isSupplierError(value))
  const everything = { customInspect: false, showHidden: true, getters, depth: Number.POSITIVE_INFINITY }
  chunks.push(inspect(value, everything))
  chunks.push(JSON.stringify(value) ?? '', String(value))
  if (value instanceof Error) chunks.push(value.stack ?? '', printed({ ...value }))
  // What the user's own supplier threw is the user's. Every other cause would be ours.
  if (value instanceof Error && !isSupplierError(value)) chunks.push(printed(value.cause ?? ''))
  else if (typeof value === 'object') chunks.push(JSON.stringify({ ...value }))
  return chunks.join('\n')
}

function expectNothingSecret(value: unknown): void {
  const text = printed(value)
  const forms = [SECRET, encodeURIComponent(SECRET), btoa(`id:${SECRET}`), TOKEN, ASSERTION, PARAMETER]
  for (const form of forms) expect(text).not.toContain(form)
}

/** A manager whose endpoint responds with what `respond` makes of the token request. Collects events and log lines. */
function managerOver(respond: (request: { body: string; authorization: string }) => Response | Promise<Response>) {
  const transport: typeof fetch = async (_input, init) =>
    respond({ body: String(init?.body), authorization: new Headers(init?.headers).get('authorization') ?? '' })
  const emitted: unknown[] = []
  const log = (...entry: unknown[]) => void emitted.push(entry)
  const tokens = createTokenManager({
    clients: {
      c: {
        tokenEndpoint: 'https://as.example/token',
        clientId: 'id',
        clientSecret: SECRET,
        parameters: { password: PARAMETER },
        fetch: transport,
      },
    },
    random: () => 0,
    logger: { debug: log, info: log, warn: log, error: log },
  })
  for (const event of ['tokenRetrieved', 'tokenRequestFailed', 'tokenRejected', 'renewalStarted'] as const) {
    tokens.on(event, (details) => void emitted.push(details))
  }
  return { tokens, emitted }
}

const good = () => Response.json({ access_token: TOKEN, token_type: 'Bearer', expires_in: 60 })

test('a manager, a token, events and log lines show no secret, and token.value can be read', async () => {
  const { tokens, emitted } = managerOver(good)
  const token = await tokens.getAccessToken('c')
  expect(token.value).toBe(TOKEN)
  const { value, ...rest } = token
  expect(value).toBe(TOKEN)
  await tokens.rejectAccessToken('c', token)
  expect(emitted.length).toBeGreaterThan(2)
  for (const shown of [tokens, token, rest, { nested: [token] }, emitted]) expectNothingSecret(shown)
  expect(printed(token)).toContain('Bearer')
  expect(printed(tokens)).toContain('"c"')
})

test('the configuration and the token request that a requester gets show no secret', async () => {
  const got: [ClientConfiguration, TokenRequest][] = []
  const tokens = createTokenManager({
    clients: {
      c: {
        tokenEndpoint: 'https://as.example/token',
        clientId: 'id',
        clientSecret: SECRET,
        parameters: { password: PARAMETER },
      },
    },
    requester: {
      async request(client, request) {
        got.push([client, request])
        return { access_token: TOKEN, token_type: 'Bearer' }
      },
    },
  })
  await tokens.getAccessToken('c', { clientAssertion: ASSERTION })
  const [[client, request] = []] = got
  expect(client?.clientSecret).toBe(SECRET)
  expect(request?.clientAssertion).toBe(ASSERTION)
  expect(request?.parameters).toEqual({ password: PARAMETER })
  for (const shown of [client, request, got]) expectNothingSecret(shown)
})

test.each<[string, (request: { body: string; authorization: string }) => Response | Promise<Response>]>([
  [
    'an OAuth error that repeats the credentials',
    ({ authorization }) =>
      Response.json({ error: 'invalid_client', error_description: `bad ${SECRET} ${authorization}` }, { status: 400 }),
  ],
  [
    'a 401 with a challenge',
    ({ authorization }) =>
      Response.json(
        { error: 'invalid_client', error_description: authorization },
        { status: 401, headers: { 'www-authenticate': `Basic realm="${TOKEN}"` } },
      ),
  ],
  ['a response without a type', () => Response.json({ access_token: TOKEN })],
  ['an unknown token type', () => Response.json({ access_token: TOKEN, token_type: 'mac' })],
  ['a negative lifetime', () => Response.json({ access_token: TOKEN, token_type: 'bearer', expires_in: -1 })],
  ['a token that is not valid in a header', () => Response.json({ access_token: `${TOKEN}\n`, token_type: 'bearer' })],
  [
    'broken JSON',
    () => new Response(`{"access_token":"${TOKEN}",`, { headers: { 'content-type': 'application/json' } }),
  ],
  ['an HTML page', ({ body }) => new Response(`<p>${TOKEN} ${body}`, { headers: { 'content-type': 'text/html' } })],
  ['a 500 that repeats everything', ({ body }) => new Response(`${SECRET} ${body}`, { status: 500 })],
  [
    'a transport that fails',
    ({ body, authorization }) => {
      throw new TypeError(`fetch failed: ${body} ${authorization} ${SECRET}`, { cause: new Error(SECRET) })
    },
  ],
])('the error for %s shows no secret', async (_what, respond) => {
  const { tokens, emitted } = managerOver(respond)
  const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'token_request_failed' })
  expectNothingSecret(error)
  expectNothingSecret(emitted)
})

test('the error of a failed supplier names the supplier; what the supplier threw is its cause, and is not printed', async () => {
  const thrown = Object.assign(new Error(`could not unwrap ${SECRET}`), { code: 'EACCES' })
  const seen: unknown[] = []
  const log = (...entry: unknown[]) => void seen.push(entry)
  const tokens = createTokenManager({
    clients: {
      c: {
        tokenEndpoint: 'https://as.example/token',
        clientId: 'id',
        async clientSecret(): Promise<string> {
          throw thrown
        },
      },
    },
    random: () => 0,
    logger: { debug: log, info: log, warn: log, error: log },
  })
  tokens.on('tokenRequestFailed', (event) => void seen.push(event, event.error.cause))
  const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
  expect(error).toMatchObject({ error: 'credential_unavailable', retryable: true })
  expect(error.message).toContain('clientSecret supplier failed: Error EACCES')
  expect(error.cause).toBe(thrown)
  expectNothingSecret(error)
  expect(seen).toHaveLength(4) // two events are logged, and one is listened to, with its cause
  expectNothingSecret(seen)
})

test('the key of a token in the store is a SHA-256 that does not depend on a secret', async () => {
  const keys = new Set<string>()
  const store = { get: (key: string) => void keys.add(key), set() {}, delete() {} }
  const make = (clientSecret: string) =>
    createTokenManager({
      clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret } },
      requester: { request: async () => ({ access_token: TOKEN, token_type: 'Bearer' }) },
      store,
    })
  await make(SECRET).getAccessToken('c')
  await make('another').getAccessToken('c', { clientAssertion: ASSERTION })
  await settle()
  expect([...keys]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)])
})

test('an authorizer, and the error for an origin that is not allowed, show no secret', async () => {
  const { tokens } = managerOver(good)
  const authorizer = createRequestAuthorizer(tokens, 'c', { baseURL: 'https://api.example/' })
  const request = { method: 'GET', url: new URL('https://other.example/'), headers: () => new Headers() }
  const error = await authorizer.authorize(request).catch((thrown) => thrown)
  expect(error).toMatchObject({ code: 'origin_not_allowed', origin: 'https://other.example' })
  expectNothingSecret([authorizer, error])
})
