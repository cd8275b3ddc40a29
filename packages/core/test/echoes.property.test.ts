import { inspect } from 'node:util'
import { type ClientDefinition, ClientSecretPost, createTokenManager, jwtBearer } from '@tokenward/core'
import { runs, slow } from '@tokenward/test-support'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { base64, formEncoded, forms } from './wire-forms'

/** How a definition sends a credential. */
const definitions: readonly ((credential: string) => Partial<ClientDefinition>)[] = [
  (clientSecret) => ({ clientSecret }),
  (credential) => ({ clientSecret: async () => credential }),
  (credential) => ({ clientAuth: ClientSecretPost(credential) }),
  (clientAssertion) => ({ clientAssertion }),
  (password) => ({ clientSecret: 'another', parameters: { password } }),
  (assertion) => ({ clientSecret: 'another', requester: jwtBearer({ assertion }) }),
]

/** What the server makes of the credential. */
const whole = forms.map(([, write]) => write)
const partly: readonly ((text: string, share: number) => string)[] = [
  (text, share) => text.slice(0, Math.max(8, text.length * share)),
  (text, share) => text.slice(-Math.max(8, text.length * share)),
  (text, share) => formEncoded(text).slice(Math.floor(share * 8)),
  (text, share) => base64(`id:${formEncoded(text)}`).slice(0, Math.max(12, text.length * share)),
]

/** How the server responds with a text. */
const responses: readonly ((echo: string) => Response)[] = [
  (error_description) => Response.json({ error: 'invalid_grant', error_description }, { status: 400 }),
  (error_description) => Response.json({ error: 'invalid_client', error_description }, { status: 401 }),
  (error_description) => Response.json({ error: 'server_error', error_description }, { status: 503 }),
  (error) => Response.json({ error }, { status: 400 }),
  (echo) => Response.json({ error: { echo }, error_description: [echo] }, { status: 400 }),
  (echo) => new Response(echo, { status: 500 }),
  (echo) => new Response(`{"access_token": "${echo}`, { headers: { 'content-type': 'application/json' } }),
  (echo) => Response.json({ access_token: 7, token_type: echo }),
  (echo) => Response.json({ access_token: 'token', token_type: echo, scope: echo }),
  (echo) => new Response('', { status: 404, headers: { 'content-type': `text/x; ${printable(echo)}` } }),
  (echo) => {
    const challenge = `Bearer error="invalid_client", error_description="${printable(echo).replaceAll('"', '')}"`
    return new Response('', { status: 401, headers: { 'www-authenticate': challenge } })
  },
]
const printable = (text: string) => text.replace(/[^\x20-\x7e]/g, '')

const credential = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 10, maxLength: 40 }),
  fc.string({ unit: 'grapheme-ascii', minLength: 10, maxLength: 40 }),
  fc.base64String({ minLength: 12, maxLength: 60 }),
  fc.stringMatching(/^[\w-]{12,30}\.[\w-]{24,40}\.[\w-]{24,40}$/),
)
// One character again and again is no credential, and a text may have it by chance.
const credentials = credential.filter((text) => new Set(text).size > 5 && text.trim() === text)

test(
  'no server gets a secret shown in an error, an event, a log line or a store, whatever it repeats',
  slow,
  async () => {
    const echo = fc.record({
      write: fc.oneof(fc.constantFrom(...whole), fc.constantFrom(...partly)),
      share: fc.double({ min: 0.2, max: 1, noNaN: true }),
      before: fc.string({ maxLength: 10 }),
      after: fc.string({ maxLength: 10 }),
      respond: fc.constantFrom(...responses),
    })
    await fc.assert(
      fc.asyncProperty(credentials, fc.constantFrom(...definitions), echo, async (secret, define, how) => {
        const written = how.write(secret, how.share)
        const store = new Map<string, string>()
        const seen: unknown[] = []
        const log = (...entry: unknown[]) => void seen.push(entry)
        const fetch = async () => how.respond(`${how.before}${written}${how.after}`)
        const tokens = createTokenManager({
          clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', fetch, ...define(secret) } },
          logger: { debug: log, info: log, warn: log, error: log },
          random: () => 0,
          store: {
            get: (key) => store.get(key),
            set: (key, value) => void store.set(key, value),
            delete: (key) => void store.delete(key),
          },
        })
        tokens.on('tokenRequestFailed', log)
        const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
        await tokens.close()
        const details = [error, seen, store, tokens]
        const shown = [
          ...[error.message, error.stack, error.errorDescription, JSON.stringify(details)],
          ...[inspect(details, { depth: 9 }), inspect(details, { depth: 9, showHidden: true, customInspect: false })],
        ].join('\n')
        const secrets = [...whole.map((write) => write(secret)), base64(`id:${formEncoded(secret)}`).slice(4, 16)]
        for (const quoted of [secret, formEncoded(secret)]) {
          for (let start = 0; start + 8 <= quoted.length; start++) secrets.push(quoted.slice(start, start + 8))
        }
        expect(secrets.filter((each) => shown.includes(each))).toEqual([])
      }),
      runs(150),
    )
  },
)
