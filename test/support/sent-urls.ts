import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { createTokenManager, type TokenManager } from '@tokenward/core'
import fc from 'fast-check'
import { expect, onTestFinished } from 'vitest'

/** A request that reached a server. */
export interface SentRequest {
  readonly server: 'api' | 'other'
  /** The request target as it was on the wire, with the origin that the client connected to. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

/** Two servers. Tokens may go to the API only. */
export interface TwoServers {
  readonly api: string
  readonly other: string
  /** The requests of `send`, whatever comes of it. */
  during(send: () => Promise<unknown>): Promise<readonly SentRequest[]>
  /** Where the API redirects its next request to. */
  redirectTo(location: string): void
}

export async function startTwoServers(): Promise<TwoServers> {
  let requests: SentRequest[] = []
  let location: string | undefined
  const start = async (name: SentRequest['server']) => {
    const server = createServer((request, response) => {
      request.resume()
      const { headers, url = '' } = request
      // undici sends what follows `blob:` as the request target, to the origin that it names.
      const target = url.startsWith('/') ? url : `/${url}`
      requests.push({ server: name, url: `http://${headers.host}${target}`, headers })
      if (name === 'api' && location !== undefined) {
        response.writeHead(302, { location: Buffer.from(location).toString('latin1') })
        location = undefined
      }
      response.end('{}')
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    const address = server.address()
    return `127.0.0.1:${typeof address === 'object' ? address?.port : ''}`
  }
  const [api, other] = [await start('api'), await start('other')]
  return {
    api,
    other,
    redirectTo(to) {
      // Node sends no other control characters.
      location = to.replace(/[^\t\x20-\x7e\x80-\u{10ffff}]/gu, '')
    },
    async during(send) {
      requests = []
      await send().catch(() => {})
      return requests
    },
  }
}

/** A manager for a client that gets Bearer tokens, and one that gets DPoP tokens. The endpoint is a stand-in: URLs of APIs are the subject. */
export function bearerAndDpop(): TokenManager<'bearer' | 'dpop'> {
  const definition = { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 'secret' }
  const tokens = createTokenManager({
    clients: { bearer: definition, dpop: { ...definition, dpop: true } },
    requester: {
      request: async ({ dpopKeyPair }) => ({ access_token: 'token', token_type: dpopKeyPair ? 'DPoP' : 'Bearer' }),
    },
  })
  onTestFinished(() => tokens.close())
  return tokens
}

export const clientNames = fc.constantFrom('bearer' as const, 'dpop' as const)

/** Texts that are URLs, nearly URLs, and paths; most of them are made to be read in two ways. */
export function urlTexts({ api, other }: Pick<TwoServers, 'api' | 'other'>): fc.Arbitrary<string> {
  const port = (host: string) => String(host.split(':')[1])
  const hosts = [
    ...[api, api, other, other, api.replace('127.0.0.1', 'localhost'), other.replace('127.0.0.1', 'localhost')],
    ...[`127.1:${port(other)}`, `0x7f.1:${port(api)}`, `127.0.0.1.:${port(other)}`, `[::1]:${port(other)}`],
    ...[`１２７.0.0.1:${port(other)}`, `127。0。0。1:${port(api)}`, `127.0.0.1:0${port(other)}`, '127.0.0.1'],
  ]
  const schemes = [
    'http:',
    'http:',
    'http:',
    'HTTP:',
    'https:',
    'ftp:',
    'data:',
    'blob:http:',
    'items:',
    'ht\ttp:',
    ' http:',
    '',
  ]
  const slashes = ['//', '//', '//', '/', '///', '\\\\', '/\\', '\\/', '']
  const users = ['', '', '', '', '@', 'user@', 'user:password@', `${api}@`, `${other}@`, `${api}\\@`, '\t']
  const paths = [
    '',
    '/',
    '/a',
    'a',
    '//',
    '/..',
    '/../..',
    '/.',
    '/%2e%2e',
    '\\',
    '/\\',
    '?',
    '?q=1',
    '#',
    '#f',
    '@',
    ':',
  ]
  const others = [
    '%2f',
    '%5c',
    '%00',
    '%',
    ' ',
    '\t',
    '\n',
    'é',
    '／',
    '😀',
    ';a',
    '&',
    '=',
    '"',
    "'",
    '<',
    '|',
    '{',
    '^',
    '[',
    ']',
  ]
  const rest = fc.array(fc.oneof(fc.constantFrom(...paths), fc.constantFrom(...others), fc.constantFrom(...hosts)), {
    maxLength: 5,
  })
  const whole = [fc.constantFrom(...schemes), fc.constantFrom(...slashes), fc.constantFrom(...users)] as const
  return fc
    .oneof(
      {
        weight: 3,
        arbitrary: fc.tuple(
          ...whole,
          fc.constantFrom(...hosts),
          rest.map((parts) => parts.join('')),
        ),
      },
      { weight: 1, arbitrary: fc.tuple(rest.map((parts) => parts.join(''))) },
    )
    .map((parts) => (parts as string[]).join(''))
}

/** Whether a client without tokens may be asked to send there: it must not look up a name. */
export function isLocal(text: string, base?: string): boolean {
  if (!URL.canParse(text, base)) return false
  const { hostname } = new URL(text, base)
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\]|)$/.test(hostname)
}

/** Tokens went to the API only; and each request to it had a token, and a proof of this URL where that is needed. */
export function expectTokensAtApiOnly(requests: readonly SentRequest[], { api }: TwoServers): void {
  for (const { server, url, headers } of requests) {
    const { authorization, dpop } = headers
    const sent = ['authorization', 'dpop', 'cookie', 'proxy-authorization'].filter((name) => name in headers)
    const isApi = server === 'api' && new URL(url).host === api
    if (!isApi) expect({ url, sent }).toEqual({ url, sent: [] })
    else if (dpop === undefined) expect(authorization).toBe('Bearer token')
    else {
      expect(authorization).toBe('DPoP token')
      const [, payload = ''] = String(dpop).split('.')
      const { htu } = JSON.parse(Buffer.from(payload, 'base64url').toString())
      expect(htu).toBe(url.replace(/[?#].*$/, ''))
    }
  }
}

/** Headers that must not reach another origin. */
export const credentials = { cookie: 'session=secret', 'proxy-authorization': 'Basic c2VjcmV0' }
