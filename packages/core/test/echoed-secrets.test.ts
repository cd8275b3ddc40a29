import { inspect } from 'node:util'
import {
  type ClientDefinition,
  ClientSecretBasic,
  ClientSecretJwt,
  ClientSecretPost,
  createTokenManager,
  jwtBearer,
  PrivateKeyJwt,
  tokenExchange,
} from '@tokenward/core'
import { generateKeyPair } from 'jose'
import { expect, test } from 'vitest'
import { SentSecrets } from '../src/internal/endpoint/sent-secrets'
import { presentable } from '../src/internal/endpoint/server-text'
import { base64, formEncoded, forms } from './wire-forms'

const SECRET = 'pa ss"w/o\\rd+%&ü#7f'
test.each(forms)('a secret that is quoted as %s is redacted, wherever it stands', (_form, write) => {
  const secrets = new SentSecrets()
  secrets.add(SECRET)
  for (const [before, after] of [
    ['', ''],
    ['the secret ', ' is wrong'],
    ['x', 'y'],
  ] as const) {
    const written = write(SECRET)
    const shown = presentable(`${before}${written}${after}`, secrets)
    expect(shown).toContain('[redacted]')
    // All of it that tells something.
    const own = written.startsWith(base64('client')) ? 10 : 0
    for (let start = own; start + 6 <= written.length; start++)
      expect(shown).not.toContain(written.slice(start, start + 6))
  }
})

test('a short secret is redacted as a word only, and text that is no secret stays', () => {
  const secrets = new SentSecrets()
  for (const value of ['a', 'abc', 'test']) secrets.add(value)
  expect(presentable('a client_secret=abc that is abcd, latest', secrets)).toBe(
    '[redacted] client_secret=[redacted] that is abcd, la[redacted]',
  )
  expect(presentable('unknown scope "catalog"', new SentSecrets())).toBe('unknown scope "catalog"')
})

test('the value of a parameter that may be a name is redacted as a word only, and one that may be a key anywhere', () => {
  const secrets = new SentSecrets()
  secrets.collect({
    body: new URLSearchParams({
      tenant: 'main',
      pwd: 'a1b2',
      password: 'main-pass',
      customer: '0a1b2c3d-4e5f-6a7b',
      purpose: 'nightly billing run 7',
    }),
  })
  expect(presentable('maintenance of main; domain=main.', secrets)).toBe(
    'maintenance of [redacted]; domain=[redacted].',
  )
  expect(presentable('xa1b2y xmain-passy 4e5f-6a7b', secrets)).toBe('x[redacted]y x[redacted]y [redacted]')
  // In part, the value of such a parameter is an ordinary word.
  expect(presentable('no billing run; nightly billing run 7', secrets)).toBe('no billing run; [redacted]')
})

const LONG_SECRET = 'kPz8Q~4vT7_wX+2nB/5mL=9c'
test.each([
  ['its first 8 characters', (text: string) => `${text.slice(0, 8)}…`],
  ['its last 8 characters', (text: string) => `…${text.slice(-8)}`],
  ['a part of it in a word', (text: string) => `x${text.slice(5, 17)}y`],
  ['a part of its form encoding', (text: string) => formEncoded(text).slice(10, 24)],
  ['a part of its Authorization header', (text: string) => base64(`client:${text}`).slice(14, 28)],
])('a server that quotes a secret in part is quoted without it: %s', (_part, write) => {
  const secrets = new SentSecrets()
  secrets.collect({ headers: { authorization: `Basic ${base64(`client:${LONG_SECRET}`)}` } })
  const written = write(LONG_SECRET)
  const shown = presentable(`the secret ${written} is wrong`, secrets)
  for (let start = 1; start + 7 < written.length; start++) {
    expect(shown).not.toContain(written.slice(start, start + 7))
  }
  expect(shown).toMatch(/^the secret .*\[redacted\].* is wrong$/)
})

test('a secret that control characters take apart, or that overlaps with another one, is not put together again', () => {
  const secrets = new SentSecrets()
  secrets.add('top secret value')
  secrets.add('value-of-another')
  expect(presentable('top\nsecret\tvalue', secrets)).toBe('[redacted]')
  expect(presentable('top secret value-of-another!', secrets)).toBe('[redacted]!')
})

test('300 characters, one line, nothing that hides text', () => {
  const secrets = new SentSecrets()
  expect(presentable('a\r\nWARN forged\u2028line\u202e\u0000', secrets)).toBe('a WARN forged line ')
  const long = presentable('😀'.repeat(1_000), secrets)
  expect(long.length).toBeLessThanOrEqual(300)
  expect(() => encodeURIComponent(long)).not.toThrow()
  expect(presentable('x'.repeat(100_000), secrets)).toBe('[a text of 100000 characters]')
})

test('hostile texts and secrets take no time', () => {
  const secrets = new SentSecrets()
  for (const value of ['\\'.repeat(40), '%25'.repeat(40), '"'.repeat(40), '&'.repeat(40)]) secrets.add(value)
  // CPU time, because other processes may keep the machine busy. It takes a fiftieth of the limit. Matching that backtracks would never end.
  const before = process.cpuUsage().user
  for (const part of ['\\', '%25', '\\"', '&amp;', '%']) presentable(`${part.repeat(2_000)}x`.slice(0, 8_000), secrets)
  expect(process.cpuUsage().user - before).toBeLessThan(10_000_000)
})

test.each([
  ['a long JWT', `${'eyJhbGciOiJFUzI1NiJ9'.repeat(2_000)}.c2lnbmF0dXJl`],
  ['a long SAML assertion in base64', 'PHNhbWw+PC9zYW1sPg+/'.repeat(2_000)],
  ['a text of characters that have many forms', '%"\\/ &'.repeat(600)],
])('%s: the error is what the server says, without it', async (_what, assertion) => {
  const parts = [assertion, formEncoded(assertion), base64(assertion)].map((text) => text.slice(0, 60))
  const before = process.cpuUsage().user
  for (const part of [...parts, assertion.slice(0, 8_000)]) {
    const tokens = createTokenManager({
      clients: {
        c: {
          tokenEndpoint: 'https://as.example/token',
          clientId: 'id',
          clientSecret: 'another-secret',
          requester: jwtBearer({ assertion }),
          fetch: async () =>
            Response.json({ error: 'invalid_grant', error_description: `it is: ${part}` }, { status: 400 }),
        },
      },
    })
    const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
    expect(error).toMatchObject({ error: 'invalid_grant', status: 400 })
    expect(error.message).toContain('it is: [redacted]')
    expect(error.message).not.toContain(part.slice(20, 28))
  }
  // CPU time, because other processes may keep the machine busy. It takes a twentieth of the limit.
  expect(process.cpuUsage().user - before).toBeLessThan(20_000_000)
})

const { privateKey } = await generateKeyPair('ES256')
const definitions: [string, Partial<ClientDefinition>][] = [
  ['clientSecret', { clientSecret: SECRET }],
  ['a supplied clientSecret', { clientSecret: async () => SECRET }],
  ['several secrets, of which it is the last', { clientSecret: ['another-secret', SECRET] }],
  ['several supplied secrets', { clientSecret: async () => ['another-secret', SECRET] }],
  ['ClientSecretBasic', { clientAuth: ClientSecretBasic(SECRET) }],
  ['ClientSecretPost', { clientAuth: ClientSecretPost(SECRET) }],
  ['ClientSecretJwt', { clientAuth: ClientSecretJwt(SECRET.repeat(3)) }],
  ['PrivateKeyJwt', { clientAuth: PrivateKeyJwt(privateKey) }],
  ['clientAssertion', { clientAssertion: SECRET }],
  ['parameters', { clientSecret: 'another-secret', parameters: { password: SECRET } }],
  ['jwtBearer', { clientSecret: 'another-secret', requester: jwtBearer({ assertion: async () => SECRET }) }],
  [
    'tokenExchange',
    {
      clientSecret: 'another-secret',
      requester: tokenExchange({ subjectToken: SECRET, actorToken: async () => 'the-actor-token' }),
    },
  ],
  [
    'a header of a clientAuth of the user',
    { clientAuth: (_server, _client, _body, headers) => headers.set('x-api-key', 'the-api-key') },
  ],
]

const members: [string, (echo: string) => Response][] = [
  ['error_description', (echo) => Response.json({ error: 'invalid_grant', error_description: echo }, { status: 400 })],
  ['error', (echo) => Response.json({ error: echo }, { status: 400 })],
  [
    'the content type',
    (echo) => new Response('', { status: 404, headers: { 'content-type': `text/x; ${header(echo)}` } }),
  ],
]
const header = (echo: string) => echo.replace(/[^\x20-\x7e]/g, '')

test.each(definitions.flatMap(([by, change]) => members.map(([member, echo]) => [by, member, change, echo] as const)))(
  '%s: a server that repeats the request in %s is quoted without it',
  async (_by, _member, change, echo) => {
    const sent: string[] = []
    const store = new Map<string, string>()
    const transport: typeof fetch = async (_input, init) => {
      const headers = new Headers(init?.headers)
      const body = new URLSearchParams(String(init?.body))
      for (const name of ['authorization', 'x-api-key']) sent.push(headers.get(name)?.replace(/^Basic /, '') ?? '')
      const secret = ['client_secret', 'client_assertion', 'password', 'assertion', 'subject_token', 'actor_token']
      sent.push(...secret.map((name) => body.get(name) ?? ''))
      return echo(`${sent.join(' ')} ${String(init?.body)}`)
    }
    const seen: unknown[] = []
    const log = (...entry: unknown[]) => void seen.push(entry)
    const tokens = createTokenManager({
      clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', fetch: transport, ...change } },
      logger: { debug: log, info: log, warn: log, error: log },
      store: {
        get: (key) => store.get(key),
        set: (key, value) => void store.set(key, value),
        delete: (key) => void store.delete(key),
      },
    })
    const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
    expect(error.code).toBe('token_request_failed')
    expect(error.error).toMatch(/^invalid_(grant|response)$/)
    const shown = [
      error.message,
      error.stack,
      JSON.stringify(error),
      inspect([error, seen, store], { depth: 9 }),
    ].join()
    const secret = sent.filter((value) => value !== '')
    expect(secret.length).toBeGreaterThan(0)
    for (const value of [...secret, SECRET]) {
      for (const [, write] of forms) expect(shown).not.toContain(write(value))
    }
  },
)

test('an error code that is none becomes invalid_response; known codes and words stay, whatever a secret is called', async () => {
  const of = async (code: string, clientSecret = 'a-good-secret') => {
    const tokens = createTokenManager({
      clients: {
        c: {
          tokenEndpoint: 'https://as.example/token',
          clientId: 'id',
          clientSecret,
          fetch: async () => Response.json({ error: code }, { status: 400 }),
        },
      },
    })
    return (await tokens.getAccessToken('c').catch((thrown) => thrown)).error
  }
  expect(await of('x'.repeat(1_000))).toBe('invalid_response')
  expect(await of('a\nb')).toBe('invalid_response')
  expect(await of('<script>')).toBe('invalid_response')
  expect(await of('consent_required')).toBe('consent_required')
  expect(await of('invalid_scope', 'scope')).toBe('invalid_scope')
})
