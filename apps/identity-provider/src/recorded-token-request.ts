import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** A request that reached the token endpoint. */
export interface RecordedTokenRequest {
  /** When, in milliseconds of the monotonic clock (`performance.now`). */
  readonly at: number
  /** The client that it says it comes from, by its header or its form. */
  readonly clientId: string | undefined
  readonly grantType: string | undefined
  readonly scope: string | undefined
  /** What it names as resource (RFC 8707): a list when it names several. */
  readonly resource: string | string[] | undefined
  /** The form without its credentials; of a parameter that comes more than once, the last. */
  readonly parameters: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  /** What was answered; 0 for nothing (yet). */
  status: number
}

export function recordTokenRequest({ headers }: IncomingMessage, form: URLSearchParams): RecordedTokenRequest {
  const { client_secret, client_assertion, ...parameters } = Object.fromEntries(form)
  const resources = form.getAll('resource')
  return {
    at: performance.now(),
    clientId: basicUser(headers.authorization) ?? parameters.client_id,
    grantType: parameters.grant_type,
    scope: parameters.scope,
    resource: resources.length > 1 ? resources : resources[0],
    parameters,
    headers,
    status: 0,
  }
}

function basicUser(authorization = ''): string | undefined {
  const [, basic] = /^Basic (\S+)$/i.exec(authorization) ?? []
  if (basic === undefined) return undefined
  const [user = ''] = Buffer.from(basic, 'base64').toString('utf8').split(':')
  try {
    return decodeURIComponent(user.replaceAll('+', ' '))
  } catch {
    // Not form-encoded, which is for the authorization server to refuse and for tests to see.
    return user
  }
}
