import { createRequestAuthorizer } from '@tokenward/core'
import { challenge, runs, slow } from '@tokenward/test-support'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { scripted } from './support'

const ORIGIN = 'https://api.example'
const ALLOWED = ['write', 'send', 'read']

const scope = fc.oneof(
  fc.constantFrom(...ALLOWED, 'catalog', 'admin', '', '__proto__', 'a"b', 'write,admin', 'WRITE', 'offline_access'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 8 }),
)
const demand = fc.record(
  {
    error: fc.constantFrom('insufficient_scope', 'insufficient_user_authentication', 'invalid_token'),
    scope: fc.array(scope, { maxLength: 5 }).map((scopes) => scopes.join(' ')),
    acr_values: fc
      .array(fc.constantFrom('gold', 'silver', 'bronze', ''), { maxLength: 4 })
      .map((values) => values.join(' ')),
    max_age: fc.oneof(fc.nat().map(String), fc.constantFrom('-1', '1e3', '', '9'.repeat(30))),
  },
  { requiredKeys: ['error'] },
)
const response = fc.record({
  status: fc.constantFrom(200, 401, 403),
  field: fc.oneof(
    demand.map((parameters) => challenge('Bearer', parameters as Record<string, string>)),
    fc.string({ unit: 'grapheme-ascii', maxLength: 60 }),
  ),
})
const calls = fc.array(
  fc.record({ method: fc.constantFrom('GET', 'POST'), responses: fc.array(response, { maxLength: 6 }) }),
  {
    maxLength: 30,
  },
)

test(
  'whatever an API demands, only what is allowed is requested, and a request is sent at most three times',
  slow,
  async () => {
    const property = fc.asyncProperty(calls, fc.boolean(), async (made, isRefused) => {
      const { tokens, endpoint } = scripted()
      const authorizer = createRequestAuthorizer(tokens, 'catalog.client', {
        baseURL: ORIGIN,
        stepUp: { scopes: ALLOWED, acrValues: ['gold', 'silver'], maxAge: true },
      })
      await tokens.getAccessToken('catalog.client')
      if (isRefused) {
        const refused = { error: 'invalid_scope', response: Response.json({ error: 'invalid_scope' }, { status: 400 }) }
        endpoint.respondAlways(Object.assign(new Error(), refused))
      }
      for (const { method, responses } of made) {
        const request = { method, url: ORIGIN, headers: () => new Headers() }
        let authorization = await authorizer.authorize(request)
        let sent = 1
        for (const { status, field } of responses) {
          if (authorization.isAnswer(status)) break
          const headers = { get: (name: string) => (name === 'www-authenticate' ? field : null) }
          const again = await authorization.next({ status, headers }, true)
          if (!again) break
          authorization = again
          sent++
        }
        expect(sent).toBeLessThanOrEqual(3)
      }
      for (const { scope: requested, parameters } of endpoint.requests) {
        for (const each of requested?.split(' ') ?? []) expect(['catalog', ...ALLOWED]).toContain(each)
        for (const value of parameters.acr_values?.split(' ') ?? []) expect(['gold', 'silver']).toContain(value)
        if (parameters.max_age !== undefined) expect(parameters.max_age).toMatch(/^\d{1,9}$/)
      }
      const different = new Set(
        endpoint.requests.map(({ scope: requested, parameters }) => JSON.stringify([requested, parameters])),
      )
      // Ten for each method, and the ordinary one.
      expect(different.size).toBeLessThanOrEqual(21)
    })
    await fc.assert(property, runs(150))
  },
)
