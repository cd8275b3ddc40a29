import type { ClientDefinition, ClientDefinitionSource, DefinitionContext } from '../../client-definition'
import { TokenRequestError } from '../../errors'
import { Exchange } from '../endpoint/exchange'
import { shownUrl } from '../endpoint/request-progress'
import { printable } from '../util/printable'

const WELL_KNOWN = '/.well-known/oauth-protected-resource'

/** An API whose metadata (RFC 9728) names its authorization server. */
export interface ProtectedResource {
  /** Its resource identifier, letter by letter. */
  readonly resource: string
  readonly allowedIssuers: readonly string[]
  /** The definition without what the metadata says. */
  readonly rest: Omit<ClientDefinition, 'issuer' | 'tokenEndpoint'>
}

/** The definitions that were made of metadata, which can be read again. */
const resources = new WeakMap<object, ProtectedResource>()

export function definitionOf(api: ProtectedResource): (context: DefinitionContext) => Promise<ClientDefinition> {
  const source = (context: DefinitionContext) => readDefinition(api, context, wellKnownUrl(api.resource))
  resources.set(source, api)
  return source
}

export function resourceOf(source: ClientDefinitionSource): ProtectedResource | undefined {
  return resources.get(source)
}

/** The URL of the metadata (RFC 9728 §3.1). */
function wellKnownUrl(resource: string): URL {
  const { origin, pathname, search } = new URL(resource)
  return new URL(`${origin}${WELL_KNOWN}${pathname === '/' ? '' : pathname}${search}`)
}

/** Whether an API may name this URL as that of its metadata. */
export function isOwnUrl({ resource }: ProtectedResource, url: URL): boolean {
  return url.origin === new URL(resource).origin && url.username === '' && url.password === ''
}

/**
 * The definition with the authorization server that the metadata names. Of several, the first one that is allowed.
 *
 * @throws TokenRequestError with step `resource_metadata`
 */
export async function readDefinition(
  { resource, allowedIssuers, rest }: ProtectedResource,
  { client, signal }: DefinitionContext,
  url: URL,
): Promise<ClientDefinition> {
  const { allowInsecureRequests = false, fetch: transport = (input, init) => fetch(input, init) } = rest
  const exchange = new Exchange({ name: client, fetch: transport, allowInsecureRequests }, { signal })
  const failed = (errorDescription: string, status?: number) => {
    const isTransient = status !== undefined && (status >= 500 || status === 429)
    const error = isTransient ? 'server_error' : 'invalid_response'
    const at = { step: 'resource_metadata', url: shownUrl(url.href) } as const
    return new TokenRequestError({ client, error, errorDescription, status, retryable: isTransient, ...at })
  }
  let response: Response
  try {
    // Nothing of the client is sent along.
    const options = {
      method: 'GET',
      headers: { accept: 'application/json' },
      body: undefined,
      redirect: 'manual',
    } as const
    response = await exchange.transport('resource_metadata')(url.href, options)
  } catch (error) {
    throw await exchange.failure(error)
  }
  if (response.status !== 200) throw failed(`status ${response.status}`, response.status)
  const metadata: unknown = await response.json().catch(() => undefined)
  if (typeof metadata !== 'object' || metadata === null) throw failed('the response is no JSON object')
  const { resource: named, authorization_servers: servers } = metadata as Record<string, unknown>
  // RFC 9728 §3.3: else somebody else's API could pass as this one.
  if (named !== resource) {
    throw failed(`its resource is ${typeof named === 'string' ? `'${shown(named)}'` : 'missing'}, not '${resource}'`)
  }
  const issuers: unknown[] = Array.isArray(servers) ? servers : []
  const issuer = issuers.find((each) => typeof each === 'string' && allowedIssuers.includes(each))
  if (typeof issuer === 'string') return { ...rest, issuer }
  const texts = issuers.filter((each) => typeof each === 'string').slice(0, 3)
  const found = texts.length === 0 ? 'no authorization server' : texts.map((text) => `'${shown(text)}'`).join(', ')
  throw failed(`it names ${found}, and allowedIssuers has ${allowedIssuers.map((each) => `'${each}'`).join(', ')}`)
}

/** A text of the API as it may stand in an error. */
function shown(text: string): string {
  return printable(text).slice(0, 100)
}
