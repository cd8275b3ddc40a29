import { createRequestAuthorizer } from '@tokenward/core'
import { runs, slow, warmTokens } from '@tokenward/test-support'
import fc from 'fast-check'
import { expect, test } from 'vitest'

const ORIGINS = ['https://api.example', 'https://api.example:8443', 'http://127.0.0.1:8080', 'http://[::1]:8080']
/** Tokens may go to these, and to the one of the base. */
const ALLOWED = ORIGINS.slice(0, 3)
const BASES = ['', '/', '/v1', '/v1/', '/v1//', '/a/../b/', '/%2e%2E/', '/v 1/', '/v1?a=1', '/v1#part']

/** What a URL parser treats in its own way: somewhere, or only at the start of a segment. */
const SPECIAL = [
  ...['.', '..', '%2e', '%2E', '.%2e', '%2e%2E', './', '../', '..;', '...', '.a', 'a.', '%', '%z', '%41', '%c3%a9'],
  ...['/', '//', '\\', '?', '#', '@', ':', '&', '=', "'", '"', '<', '>', '`', '{', '}', '|', '^', '[', ']', '~', '!'],
  ...[' ', '\t', '\n', '\r', '\0', '\x1f', '\x7f', '\u00a0', '\u00e9', '\u3002', '\ufeff', '\ud800', '\u{1f511}'],
  ...[
    'https://',
    'http:',
    'api.example',
    'api.example:8443',
    'evil.example',
    '0x7f.1',
    'user:password@',
    ':443',
    ':80',
  ],
]

const anything = fc
  .array(fc.oneof(fc.constantFrom(...SPECIAL), fc.stringMatching(/^[a-z0-9]{1,3}$/), fc.string({ unit: 'binary' })), {
    maxLength: 7,
  })
  .map((parts) => parts.join(''))

/** One special piece or character in a URL that has nothing else to it. */
const oneSpecial = fc
  .tuple(
    fc.constantFrom('', 'a', 'a/', 'a?', 'a?b='),
    fc.oneof(
      fc.constantFrom(...SPECIAL),
      fc.nat(0xff).map((code) => String.fromCharCode(code)),
    ),
    fc.constantFrom('', 'a', '/a'),
  )
  .map((parts) => parts.join(''))

const ends = fc.oneof(anything, oneSpecial)

const cases = fc.record({
  origin: fc.constantFrom(...ORIGINS),
  base: fc.constantFrom(...BASES),
  start: fc.constantFrom(
    '',
    '/',
    ...ORIGINS,
    ...ORIGINS.map((origin) => `${origin}/`),
    'HTTPS://API.example/',
    `blob:${ORIGINS[0]}/`,
    'data:',
  ),
  ends: fc.array(ends, { minLength: 1, maxLength: 3 }),
})

/** What a call returns, or the class and message of what it throws. */
function outcomeOf(call: () => string): string {
  try {
    return call()
  } catch (error) {
    return String(error)
  }
}

test('a URL of tens of megabytes is no error', async () => {
  const authorizer = createRequestAuthorizer(await warmTokens(), 'c', { baseURL: 'https://api.example' })
  const url = `https://api.example${'/a'.repeat(20_000_000)}`
  const begun = authorizer.begin({ method: 'GET', url: authorizer.resolveHref(url), headers: () => new Headers() })
  expect(begun instanceof Promise ? 'later' : begun.url.length).toBe(url.length)
})

test('a URL that need not be parsed is the one that a parser makes of it', slow, async () => {
  const tokens = await warmTokens()
  let unparsed = 0
  await fc.assert(
    fc.property(cases, ({ origin, base, start, ends }) => {
      const authorizer = createRequestAuthorizer(tokens, 'c', { baseURL: origin + base, allowedOrigins: ALLOWED })
      for (const end of ends) {
        const text = start + end
        const parsed = outcomeOf(() => authorizer.resolve(text).href)
        expect(outcomeOf(() => authorizer.resolveHref(text))).toBe(parsed)
        if (!URL.canParse(text)) continue
        const url = new URL(text)
        const sent = outcomeOf(() => {
          const begun = authorizer.begin({ method: 'GET', url: text, headers: () => new Headers() })
          return begun instanceof Promise ? 'later' : begun.url
        })
        if (/^https?:/.test(url.protocol) && [origin, ...ALLOWED].includes(url.origin)) {
          expect(sent).toBe(url.href)
          if (sent === text) unparsed++
        } else expect(sent).toContain('OriginNotAllowedError')
      }
    }),
    runs(4_000),
  )
  // The property is about something.
  expect(unparsed).toBeGreaterThan(100)
})
