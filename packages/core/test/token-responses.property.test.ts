import { inspect } from 'node:util'
import { type AccessToken, createTokenManager, TokenRequestError } from '@tokenward/core'
import { runs, slow } from '@tokenward/test-support'
import fc from 'fast-check'
import { generateKeyPair } from 'jose'
import { expect, test } from 'vitest'
import { definition, settle, TestClock } from './support'

const TOKEN = 'the-token-of-the-server'

/** A token response, of which any member may be anything. */
const members = fc.record(
  {
    access_token: fc.oneof(
      { weight: 3, arbitrary: fc.constant(TOKEN) },
      fc.constantFrom('', 'a b', 'a\n', 'ü'),
      fc.jsonValue(),
    ),
    token_type: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('Bearer', 'bearer', 'DPoP', 'N_A') }, fc.jsonValue()),
    expires_in: fc.oneof(
      fc.integer(),
      fc.double(),
      fc.constantFrom(3600, '3600', '1e9', ' 5 ', 1e300, -1),
      fc.jsonValue(),
    ),
    refresh_in: fc.oneof(fc.integer(), fc.double(), fc.jsonValue()),
    scope: fc.oneof(fc.string(), fc.jsonValue()),
    error: fc.oneof(fc.constantFrom('invalid_client', 'invalid_scope', 'slow_down'), fc.jsonValue()),
    error_description: fc.oneof(fc.string(), fc.jsonValue()),
    id_token: fc.jsonValue(),
    __proto__: fc.jsonValue(),
    constructor: fc.jsonValue(),
  },
  { requiredKeys: [] },
)
const bodies = fc.oneof(
  { weight: 5, arbitrary: members.map((body) => JSON.stringify(body)) },
  members.map((body) => JSON.stringify(body).slice(0, -3)),
  fc.json().map((json) => `${json}${TOKEN}`),
  fc.uint8Array({ maxLength: 50 }),
  fc.constantFrom(null, '', '[]', 'null', `"${TOKEN}"`, `{"access_token":"${TOKEN}"}`, '{'.repeat(5_000)),
)
const headers = fc.record(
  {
    'content-type': fc.constantFrom('application/json', 'text/html', 'application/json; charset=x', '', 'x'),
    'retry-after': fc.constantFrom('0', '1', '300', '86400', '-99999', '1e3', 'soon', 'Thu, 01 Jan 1970 00:00:00 GMT'),
    date: fc.constantFrom('Thu, 01 Jan 1970 00:00:00 GMT', 'now', 'Fri, 31 Dec 9999 23:59:59 GMT', '-1'),
    'www-authenticate': fc.constantFrom('DPoP error="use_dpop_nonce"', 'Bearer', '"', 'Basic realm="', 'x=,,,y'),
    'dpop-nonce': fc.constantFrom('nonce', ' ', '"'),
    location: fc.constantFrom('/', 'https://evil.example', '//'),
  },
  { requiredKeys: ['content-type'] },
)
const statuses = fc.oneof(
  fc.constant(200),
  fc.constantFrom(200, 201, 204, 302, 304, 400, 401, 403, 404, 429, 500, 503, 599),
)

/** What the transport does: it responds, breaks off, or is no transport at all. */
const transports = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ body: bodies, status: statuses, headers }).map(({ body, status, ...init }) => async () => {
      return new Response([204, 304].includes(status) ? null : (body as string), { status, ...init })
    }),
  },
  fc.anything().map((thrown) => () => Promise.reject(thrown)),
  fc.anything().map((returned) => async () => returned as Response),
  fc.constant(async () => Response.error()),
  fc.constant(() => new Promise<Response>(() => {})),
  fc.constant(async () => {
    const error = new Error(TOKEN)
    return new Response(new ReadableStream({ pull: (controller) => controller.error(error) }))
  }),
  fc.constant(async () => new Response(new ReadableStream({ pull() {} }))),
)

const key = await generateKeyPair('ES256', { extractable: true })

test(
  'from whatever a server responds comes a token that can be sent, or an error that shows nothing of it',
  slow,
  async () => {
    const transport = fc.array(transports, { minLength: 1, maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(transport, fc.boolean(), fc.boolean(), async (script, isBound, isDiscovered) => {
        const clock = new TestClock(settle)
        const seen: unknown[] = []
        const log = (...entry: unknown[]) => void seen.push(entry)
        let requests = 0
        const metadata = { issuer: 'https://as.example', token_endpoint: 'https://as.example/token' }
        const fetch: typeof globalThis.fetch = async (input) => {
          if (isDiscovered && String(input).includes('.well-known')) return Response.json(metadata)
          return (script[requests++ % script.length] as () => Promise<Response>)()
        }
        const { tokenEndpoint, ...rest } = definition
        const where = isDiscovered ? { issuer: metadata.issuer } : { tokenEndpoint }
        const tokens = createTokenManager({
          clients: { c: { ...rest, ...where, ...(isBound && { dpop: { key } }), fetch } as typeof definition },
          clock,
          random: () => 0.5,
          logger: { debug: log, info: log, warn: log, error: log },
        })
        let result: AccessToken | TokenRequestError | undefined
        const settled = tokens.getAccessToken('c').then(
          (token) => {
            result = token
          },
          (error) => {
            result = error
          },
        )
        // A call may take its three attempts of 10 s, and what `Retry-After` adds to them.
        for (let step = 0; step < 60 && result === undefined; step++) await clock.advance(1_000)
        expect(result, 'the call has not ended').toBeDefined()
        await settled
        if (result instanceof TokenRequestError) {
          expect((result.errorDescription ?? '').length).toBeLessThanOrEqual(300)
          expect(result.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
          expect(result.error).toMatch(/^[\x21-\x7e]{1,100}$/)
          const retryAfterMs = result.retryAfterMs ?? 0
          expect(retryAfterMs >= 0 && retryAfterMs <= 300_000).toBe(true)
        } else {
          const { value, type, expiresAt, scope } = result as AccessToken
          expect(value).toMatch(/^[\x21-\x7e]+$/)
          expect(type).toBeOneOf(isBound ? ['DPoP'] : ['Bearer'])
          expect(expiresAt === undefined || !Number.isNaN(expiresAt.getTime())).toBe(true)
          expect(scope === undefined || typeof scope === 'string').toBe(true)
        }
        const shown = [result, seen, tokens]
        const hidden = inspect(shown, { depth: 9, showHidden: true, customInspect: false })
        expect(hidden.includes(TOKEN)).toBe(false)
        expect((inspect(shown, { depth: 9 }) + JSON.stringify(shown)).includes(TOKEN)).toBe(false)
        await tokens.close()
        expect(clock.pendingTimers).toBe(0)
      }),
      runs(200),
    )
  },
)
