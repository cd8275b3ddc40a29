import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** A request that reached the token endpoint. */
export interface RecordedTokenRequest {
  /** When, in milliseconds of the monotonic clock (`performance.now`). */
  readonly at: number
  /** The client id in its `Authorization` header, or else in its form. */
  readonly clientId: string | undefined
  readonly grantType: string | undefined
  readonly scope: string | undefined
  /** The requested resource (RFC 8707): a list when there are several. */
  readonly resource: string | string[] | undefined
  /** The form without its credentials. Of a repeated parameter it has the last value. */
  readonly parameters: Readonly<Record<string, string>>
  readonly refreshToken: string | undefined
  readonly headers: IncomingHttpHeaders
  /** The status of the response; 0 while there is none. */
  status: number
  /** When the response was sent or the connection ended. Undefined while the request is under way. */
  endedAt: number | undefined
}

export function recordTokenRequest({ headers }: IncomingMessage, form: URLSearchParams): RecordedTokenRequest {
  const { client_secret, client_assertion, refresh_token: refreshToken, ...parameters } = Object.fromEntries(form)
  const resources = form.getAll('resource')
  return {
    at: performance.now(),
    clientId: basicUser(headers.authorization) ?? parameters.client_id,
    grantType: parameters.grant_type,
    scope: parameters.scope,
    resource: resources.length > 1 ? resources : resources[0],
    parameters,
    refreshToken,
    headers,
    status: 0,
    endedAt: undefined,
  }
}

function basicUser(authorization = ''): string | undefined {
  const [, basic] = /^Basic (\S+)$/i.exec(authorization) ?? []
  if (basic === undefined) return undefined
  const [user = ''] = Buffer.from(basic, 'base64').toString('utf8').split(':')
  try {
    return decodeURIComponent(user.replaceAll('+', ' '))
  } catch {
    // Not form-encoded: the authorization server refuses it, and tests see what was sent.
    return user
  }
}
