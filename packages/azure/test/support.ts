import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TokenCredential } from '@azure/core-auth'
import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
  type HttpClient,
  type PipelineResponse,
} from '@azure/core-rest-pipeline'
import type { IdentityProvider } from '@tokenward/identity-provider'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import selfsigned from 'selfsigned'
import { onTestFinished } from 'vitest'

/** What a service of Azure responds to a token that it does not accept. */
type Refusal = 'claims challenge' | 'plain 401'

/** A service of Azure, with TLS. */
export interface Service {
  readonly url: string
  readonly certificate: string
  /** The token of each request. */
  readonly tokens: (string | undefined)[]
  refusal: Refusal
  /** Whether it refuses every token. */
  rejectsAll: boolean
  /** What it demands of the next token, in a claims challenge. */
  claims: string
}

/** Starts a service that takes the tokens of `provider`. It ends with the test. */
export async function startService(provider: IdentityProvider): Promise<Service> {
  const { cert, private: key } = await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
  })
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))

  async function isValid(token: string | undefined): Promise<boolean> {
    if (token === undefined || service.rejectsAll) return false
    try {
      await jwtVerify(token, keys, { issuer: provider.issuer, audience: 'urn:catalog' })
    } catch {
      return false
    }
    return provider.issuedToken(String(decodeJwt(token).jti))?.revokedAt === undefined
  }

  const server = createServer({ cert, key }, async (request, response) => {
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    service.tokens.push(token)
    const path = String(request.url)
    if (await isValid(token)) {
      const secret = { value: 'the-value', id: `https://${request.headers.host}${path.split('?')[0]}`, attributes: {} }
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(secret))
    }
    if (token === undefined) {
      // A vault names its tenant and its resource to a request without a token.
      const challenge = 'Bearer authorization="https://login.example/tenant-2", resource="https://vault.example"'
      return response.writeHead(401, { 'www-authenticate': challenge }).end()
    }
    const claims = `error="insufficient_claims", claims="${btoa(service.claims)}"`
    const details = service.refusal === 'claims challenge' ? claims : 'error="invalid_token"'
    return response.writeHead(401, { 'www-authenticate': `Bearer realm="", ${details}` }).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const service: Service = {
    url: `https://localhost:${(server.address() as AddressInfo).port}/secrets`,
    certificate: cert,
    tokens: [],
    refusal: 'claims challenge',
    rejectsAll: false,
    claims: '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}',
  }
  return service
}

/** A client of the service, made of what every client of the Azure SDK is made of. */
export function sdkClient(service: Service, credential: TokenCredential, scopes: string | string[]) {
  const pipeline = createPipelineFromOptions({
    retryOptions: { maxRetries: 0 },
    tlsOptions: { ca: service.certificate },
  })
  pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes }))
  const httpClient = createDefaultHttpClient()
  return (abortSignal?: AbortSignal): Promise<PipelineResponse> =>
    pipeline.sendRequest(httpClient, createPipelineRequest({ url: service.url, ...(abortSignal && { abortSignal }) }))
}

/**
 * An HTTP client for `@azure/identity` that plays Microsoft Entra: the metadata of any authority, whose token endpoint is that of `provider`.
 * The library insists on https, which `provider` does not have. The scope of Azure becomes one that `provider` knows.
 */
export function entra(provider: IdentityProvider, { lifetime }: { lifetime?: number } = {}) {
  const requests: URLSearchParams[] = []
  const real = createDefaultHttpClient()
  const httpClient: HttpClient = {
    async sendRequest(request) {
      const { origin, pathname } = new URL(request.url)
      if (!pathname.endsWith('/token')) {
        const tenant = `${origin}/${pathname.split('/')[1]}`
        const metadata = {
          issuer: `${tenant}/v2.0`,
          authorization_endpoint: `${tenant}/oauth2/v2.0/authorize`,
          token_endpoint: `${tenant}/oauth2/v2.0/token`,
          jwks_uri: `${tenant}/discovery/v2.0/keys`,
        }
        return { request, status: 200, headers: createHttpHeaders(), bodyAsText: JSON.stringify(metadata) }
      }
      const form = new URLSearchParams(String(request.body))
      requests.push(new URLSearchParams(form))
      form.set('scope', 'catalog')
      const response = await real.sendRequest(
        createPipelineRequest({
          url: provider.tokenEndpoint,
          method: 'POST',
          headers: createHttpHeaders({ 'content-type': 'application/x-www-form-urlencoded' }),
          body: form.toString(),
          allowInsecureConnection: true,
        }),
      )
      if (lifetime === undefined || response.status !== 200) return response
      return {
        ...response,
        bodyAsText: JSON.stringify({ ...JSON.parse(String(response.bodyAsText)), expires_in: lifetime }),
      }
    },
  }
  return { httpClient, requests }
}
