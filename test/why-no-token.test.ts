import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type ClientDefinition, createTokenManager, TokenRequestError, tokenExchange } from '@tokenward/core'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { root } from './documents'

const page = readFileSync(join(root, 'docs/why-no-token.md'), 'utf8')
const core = join(root, 'packages/core/src')

let provider: IdentityProvider
beforeAll(async () => {
  const clients = {
    bound: { metadata: { dpop_bound_access_tokens: true } },
    // It may not use the grant.
    other: { metadata: { grant_types: [] } },
  }
  provider = await startIdentityProvider({ clients })
})
afterAll(() => provider.close())
beforeEach(() => {
  provider.reset()
  provider.requiresNonce = false
})

/** A client that gets a token, with `change`. */
const definition = (change: Partial<ClientDefinition> = {}): ClientDefinition => {
  const { clientId, clientSecret } = provider.client('invoice.client')
  return { issuer: provider.issuer, clientId, clientSecret, ...change }
}
const noBackoff = { random: () => 0 }

async function failing(change: Partial<ClientDefinition>): Promise<unknown> {
  const tokens = createTokenManager({ clients: { 'invoice.client': definition(change) }, ...noBackoff })
  const error = await tokens.getAccessToken('invoice.client').catch((thrown) => thrown)
  await tokens.close()
  return error
}

/** What a server responds that issues other grants, or devices, or has a policy. The local one has none of that. */
function responding(status: number, error: string, description: string): () => Promise<unknown> {
  return () => {
    provider.tokenEndpointFaults.fail(3, { status, body: { error, error_description: description } })
    return failing({})
  }
}

const credentialsOf = (name: string) => {
  const { clientId, clientSecret } = provider.client(name)
  return { clientId, clientSecret }
}

const PRODUCED: Readonly<Record<string, () => Promise<unknown>>> = {
  invalid_client: () => failing({ clientSecret: 'wrong' }),
  // The local server calls it invalid_request when a client may not use the grant.
  unauthorized_client: responding(400, 'unauthorized_client', 'the client may not use this grant'),
  unsupported_grant_type: () => failing({ requester: tokenExchange({ subjectToken: 'a', subject: 'b' }) }),
  invalid_scope: () => failing({ scope: 'catalog' }),
  invalid_target: () => failing({ resource: 'urn:unknown' }),
  invalid_grant: () => failing(credentialsOf('bound')),
  invalid_request: () => failing(credentialsOf('other')),
  invalid_dpop_proof: () =>
    failing({
      dpop: true,
      // As something on the way that changes headers.
      fetch: (input, init) => fetch(input, { ...init, headers: { ...headersOf(init), dpop: 'mangled' } }),
    }),
  use_dpop_nonce() {
    provider.requiresNonce = true
    return failing({
      dpop: true,
      // As something on the way that drops headers that it does not know.
      async fetch(input, init) {
        const { body, status, headers } = await fetch(input, init)
        const kept = [...headers].filter(([name]) => name !== 'dpop-nonce')
        return new Response(body, { status, headers: kept as [string, string][] })
      },
    })
  },
  access_denied: responding(403, 'access_denied', 'blocked by a policy'),
  invalid_authorization_details: responding(400, 'invalid_authorization_details', 'unknown type'),
  authorization_pending: responding(400, 'authorization_pending', 'the user has not decided yet'),
  expired_token: responding(400, 'expired_token', 'the device code has expired'),
  invalid_token: responding(400, 'invalid_token', 'the subject token is not valid'),
  slow_down: responding(429, 'slow_down', 'too many requests'),
  temporarily_unavailable: responding(503, 'temporarily_unavailable', 'maintenance'),
  async unsupported_token_type() {
    // The server cannot revoke JWTs.
    const tokens = createTokenManager({ clients: { 'invoice.client': definition() } })
    await tokens.getAccessToken('invoice.client')
    const error = await tokens.revoke('invoice.client').catch((thrown) => thrown)
    await tokens.close()
    return error
  },
  server_error() {
    provider.tokenEndpointFaults.fail(3, { status: 502 })
    return failing({})
  },
  timeout() {
    provider.tokenEndpointFaults.fail(3, 'hang')
    return failing({ timeoutMs: 100 })
  },
  async network_error() {
    const gone = await startIdentityProvider()
    await gone.close()
    const error = await failing({ issuer: gone.issuer })
    return Object.assign(error as Error, { message: (error as Error).message.replaceAll(gone.issuer, provider.issuer) })
  },
  invalid_response: () => failing({ issuer: undefined, tokenEndpoint: `${provider.issuer}/wrong` }),
  credential_unavailable: () =>
    failing({
      async clientSecret() {
        throw Object.assign(new Error('the vault is sealed'), { code: 'VAULT_SEALED' })
      },
    }),
  async closed() {
    const tokens = createTokenManager({ clients: { 'invoice.client': definition() } })
    await tokens.close()
    return tokens.getAccessToken('invoice.client').catch((thrown) => thrown)
  },
  unexpected_error: () =>
    failing({
      requester: {
        async request() {
          throw new RangeError('a defect of the requester')
        },
      },
    }),
}

function headersOf(init: RequestInit | undefined): Record<string, string> {
  return Object.fromEntries(new Headers(init?.headers))
}

/** The section of the page that explains `error`. */
function sectionOf(error: string): string {
  const [, section] = page.split(`\n## \`${error}\`\n`)
  return section?.split('\n## ')[0] ?? ''
}

/** Every code that core itself gives an error, and those of the server that it repeats in any case. */
function codesOfCore(): string[] {
  const files = readdirSync(core, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))
  const sources = new Map(files.map((file) => [file, readFileSync(join(core, file), 'utf8')]))
  const between = (file: string, start: string, end: string) =>
    [...String(sources.get(file)?.split(start)[1]?.split(end)[0]).matchAll(/'([a-z_]+)'/g)].map(([, code]) => code)
  const literals = [...sources.values()].flatMap((source) =>
    [...source.matchAll(/\berror(?::| =) '([a-z_]+)'/g)].map(([, code]) => code),
  )
  const codes = [
    ...between('errors.ts', 'type TokenRequestErrorReason =', '(string'),
    ...between('internal/endpoint/failed-response.ts', 'KNOWN_OAUTH_ERRORS = new Set([', '])'),
    ...between('internal/endpoint/failed-response.ts', 'TRANSIENT_OAUTH_ERRORS = new Set([', '])'),
    ...literals,
  ]
  return [...new Set(codes)].map(String).sort()
}

test('the page has a section for every error of core, and for no other', () => {
  const sections = [...page.matchAll(/^## `(\w+)`$/gm)].map(([, error]) => String(error))
  expect(codesOfCore().length).toBeGreaterThan(20)
  expect(sections.toSorted()).toEqual(codesOfCore())
  expect(Object.keys(PRODUCED).sort()).toEqual(codesOfCore())
})

test.each(Object.entries(PRODUCED))('%s is produced, and its section quotes the message', async (code, produce) => {
  const error = await produce()
  expect(error).toBeInstanceOf(TokenRequestError)
  const { error: found, message } = error as TokenRequestError
  expect(found).toBe(code)
  const section = sectionOf(code)
  expect(section).toContain(message.replaceAll(provider.issuer, 'https://login.company.com'))
  expect(section).toMatch(/What to do/)
})
