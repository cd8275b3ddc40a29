import { type ProtectedResourceOptions, protectedResource } from '@tokenward/core'
import type { IdentityProvider } from '@tokenward/identity-provider'
import { challenge } from './challenges'
import { singleClientManager, startProvider } from './provider'
import { serve } from './stand-ins'

/** The path of the metadata of an API at `/api` (RFC 9728 §3.1). */
export const METADATA_PATH = '/.well-known/oauth-protected-resource/api'

/** Asks the authorization server about a token (RFC 7662). */
async function isActive({ introspectionEndpoint, client }: IdentityProvider, token: string): Promise<boolean> {
  const { clientId, clientSecret } = client('catalog.client')
  const authorization = `Basic ${btoa(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)}`
  const body = new URLSearchParams({ token })
  const response = await fetch(introspectionEndpoint, { method: 'POST', headers: { authorization }, body })
  const { active } = (await response.json()) as { active?: boolean }
  return active === true
}

/**
 * An API whose metadata names one of two authorization servers, and that accepts the tokens of that server only. Its 401s name the URL
 * of the metadata. Everything ends with the test.
 */
export async function movingApi(options: Partial<ProtectedResourceOptions> = {}) {
  const providers = await Promise.all([startProvider(), startProvider()])
  const [one, two] = providers
  let current: IdentityProvider = one
  const api = {
    origin: '',
    resource: '',
    providers,
    /** The path and the status of each request. */
    requests: [] as string[],
    /** How often the metadata was read. */
    get metadataRequests() {
      return api.requests.filter((request) => !request.startsWith('/api/')).length
    },
    /** What its 401s name as the URL of the metadata. */
    metadataUrl: '',
    /** Members of the metadata that replace the true ones. */
    metadata: {} as Record<string, unknown>,
    /** From now on it uses the second authorization server. */
    move() {
      current = two
    },
  }
  api.origin = await serve(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const respond = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      api.requests.push(`${request.url} ${status}`)
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
    }
    if (!request.url?.startsWith('/api/')) {
      const found = request.url === METADATA_PATH || request.url === '/elsewhere'
      const metadata = { resource: api.resource, authorization_servers: [current.issuer], ...api.metadata }
      return respond(found ? 200 : 404, found ? metadata : {})
    }
    const [, token = ''] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    if (await isActive(current, token)) {
      return respond(200, { text: Buffer.concat(chunks).toString('utf8') })
    }
    const named = { error: 'invalid_token', resource_metadata: api.metadataUrl }
    return respond(401, { error: 'invalid_token' }, { 'www-authenticate': challenge('Bearer', named) })
  })
  api.resource = `${api.origin}/api`
  api.metadataUrl = api.origin + METADATA_PATH
  for (const provider of providers) provider.addResource(api.resource, 'catalog')
  // Both servers know the same clients.
  const { clientId, clientSecret } = one.client('catalog.client')
  const allowedIssuers = providers.map(({ issuer }) => issuer)
  const given = { resource: api.resource, allowedIssuers, clientId, clientSecret, scope: 'catalog', ...options }
  const tokens = singleClientManager(protectedResource(given))
  return { api, tokens, baseURL: api.resource, one, two }
}
