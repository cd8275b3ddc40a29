import { runs, slow } from '@tokenward/test-support'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { mergeClaims, readClaims } from '../src/internal/util/claims'
import { readChallenges } from '../src/internal/util/www-authenticate'

/** What {@link readChallenges} returns, as a test writes it down. */
const read = (field: string | null) =>
  readChallenges(field).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])

test.each<[field: string, challenges: unknown[]]>([
  ['Bearer', [['bearer', {}]]],
  ['Basic realm="a"', [['basic', { realm: 'a' }]]],
  ['Bearer error="insufficient_claims", claims="e30="', [['bearer', { error: 'insufficient_claims', claims: 'e30=' }]]],
  ['Bearer error=invalid_token,realm=x', [['bearer', { error: 'invalid_token', realm: 'x' }]]],
  ['BEARER Error = "a" ,\tScope\t=\t"b c"', [['bearer', { error: 'a', scope: 'b c' }]]],
  ['Bearer realm="a, DPoP error=\\"b\\"", x="\\\\"', [['bearer', { realm: 'a, DPoP error="b"', x: '\\' }]]],
  [
    'Negotiate abc==, Bearer error="x"',
    [
      ['negotiate', {}],
      ['bearer', { error: 'x' }],
    ],
  ],
  [
    'Basic, , Bearer , DPoP algs="ES256", error="y"',
    [
      ['basic', {}],
      ['bearer', {}],
      ['dpop', { algs: 'ES256', error: 'y' }],
    ],
  ],
  // The example of RFC 9110 §11.6.1.
  [
    'Basic realm="simple", Newauth realm="apps", type=1, title="Login to \\"apps\\""',
    [
      ['basic', { realm: 'simple' }],
      ['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }],
    ],
  ],
  // Some servers leave out the commas.
  ['Bearer realm="" error="x"', [['bearer', { realm: '', error: 'x' }]]],
  ['Bearer error="first", error="second"', [['bearer', { error: 'first' }]]],
  [
    'Bearer __proto__="x", error="y"',
    [
      [
        'bearer',
        Object.fromEntries([
          ['__proto__', 'x'],
          ['error', 'y'],
        ]),
      ],
    ],
  ],
  ['error="x"', []],
  ['Bearer error="never closed', [['bearer', {}]]],
  ['Bearer a="b", ;', [['bearer', { a: 'b' }]]],
  ['', []],
])('%s', (field, challenges) => {
  expect(read(field)).toEqual(challenges)
})

test('a field that is missing or longer than 16 KiB has no challenges', () => {
  expect(read(null)).toEqual([])
  expect(read(`Bearer error="x", realm="${'a'.repeat(16_384)}"`)).toEqual([])
})

const token = fc.stringMatching(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}$/)
const value = fc.string({
  unit: fc.oneof(fc.constantFrom(...'",\\= \t'), fc.string({ minLength: 1, maxLength: 1 })),
  maxLength: 20,
})
const parameters = fc.uniqueArray(
  fc.tuple(
    token.map((name) => name.toLowerCase()),
    value,
    fc.boolean(),
  ),
  {
    selector: ([name]) => name,
    minLength: 1,
    maxLength: 5,
  },
)

test('every field of several challenges is read back as it was written', slow, () => {
  const written = fc.array(fc.tuple(token, parameters), { minLength: 1, maxLength: 4 })
  const property = fc.property(written, (challenges) => {
    const field = challenges
      .map(([scheme, list]) => {
        const each = list.map(([name, text]) => `${name}="${text.replace(/["\\]/g, '\\$&')}"`)
        return `${scheme} ${each.join(', ')}`
      })
      .join(', ')
    expect(read(field)).toEqual(
      challenges.map(([scheme, list]) => [
        scheme.toLowerCase(),
        Object.fromEntries(list.map(([name, text]) => [name, text])),
      ]),
    )
  })
  fc.assert(property, runs(500))
})

test('no field makes the reader throw, and none takes longer than its length', slow, () => {
  const piece = fc.constantFrom(
    'Bearer ',
    'a=',
    '"',
    '\\',
    ',',
    ' ',
    '\t',
    '=',
    'a',
    '\u00e9',
    '\0',
    'realm="x"',
    'abc==',
  )
  const hostile = fc.tuple(fc.array(piece, { maxLength: 8 }), fc.integer({ min: 1, max: 4_000 }), fc.string())
  const property = fc.property(hostile, ([pieces, times, end]) => {
    const field = (pieces.join('').repeat(times) + end).slice(0, 16_384)
    for (const { scheme, parameters } of readChallenges(field)) {
      expect(scheme).toMatch(/^[^\s,="]+$/)
      for (const name of parameters.keys()) expect(name).toMatch(/^[^\s,="]+$/)
    }
  })
  // A reader whose time grows with the square of the length would take minutes for these.
  fc.assert(property, runs(300))
})

const base64 = (text: string) => Buffer.from(text).toString('base64')
const base64url = (text: string) => Buffer.from(text).toString('base64url')

test('claims are read from base64 and base64url, with and without padding', () => {
  const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: 'ü\u00ff?>' } } })
  for (const text of [base64(claims), base64url(claims), base64(claims).replace(/=+$/, ''), ` ${base64(claims)} `])
    expect(readClaims(text)).toBe(claims)
})

test.each<[what: string, text: string | undefined]>([
  ['nothing', undefined],
  ['no base64', '{"access_token":{}}'],
  ['no JSON', base64('access_token')],
  ['a string', base64('"access_token"')],
  ['an array', base64('[{"access_token":{}}]')],
  ['null', base64('null')],
  ['no access_token', base64('{"id_token":{"email":null}}')],
  ['an access_token that is no object', base64('{"access_token":["acrs"]}')],
  ['no UTF-8', Buffer.from([...Buffer.from('{"access_token":{"a":"'), 0xff, ...Buffer.from('"}}')]).toString('base64')],
  ['too long a text', base64(`{"access_token":{"a":"${'x'.repeat(4_100)}"}}`)],
  ['too deep a text', base64(`{"access_token":${'{"a":'.repeat(9)}1${'}'.repeat(9)}}`)],
])('claims: %s is not passed on', (_what, text) => {
  expect(readClaims(text)).toBeUndefined()
})

test('only what concerns the access token is passed on', () => {
  const claims = '{"id_token":{"email":null},"access_token":{"nbf":{"value":"1"}},"userinfo":{"name":null}}'
  expect(readClaims(base64(claims))).toBe('{"access_token":{"nbf":{"value":"1"}}}')
})

test('the claims of a definition stay, beside those that an API demands', () => {
  const own = '{"access_token":{"xms_cc":{"values":["cp1"]}},"id_token":{"email":null}}'
  const demanded = '{"access_token":{"xms_cc":null,"nbf":{"value":"1"}}}'
  expect(JSON.parse(mergeClaims(own, demanded))).toEqual({
    access_token: { xms_cc: { values: ['cp1'] }, nbf: { value: '1' } },
    id_token: { email: null },
  })
  expect(mergeClaims(undefined, demanded)).toBe(demanded)
  expect(mergeClaims('no JSON', demanded)).toBe(demanded)
})

test(
  'whatever claims are, what is passed on is a small JSON object that says the same of the access token',
  slow,
  () => {
    const anything = fc.oneof(
      fc.json(),
      fc.jsonValue().map((access_token) => JSON.stringify({ access_token })),
      fc
        .dictionary(fc.oneof(fc.constant('__proto__'), fc.string()), fc.jsonValue())
        .map((access_token) => JSON.stringify({ access_token })),
      fc.string(),
    )
    const property = fc.property(anything, fc.boolean(), (text, isUrl) => {
      const claims = readClaims(isUrl ? base64url(text) : base64(text))
      if (claims === undefined) return
      expect(claims.length).toBeLessThanOrEqual(4_096)
      expect(JSON.parse(claims).access_token).toEqual(JSON.parse(text).access_token)
      expect(Object.keys(JSON.parse(claims))).toEqual(['access_token'])
      expect(JSON.parse(mergeClaims('{}', claims))).toEqual(JSON.parse(claims))
    })
    fc.assert(property, runs(500))
  },
)
