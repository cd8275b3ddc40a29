import { TokenwardError } from '@tokenward/core'

/** The codes that a server may name in a 401 (RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470 §3). Any other text could hold a token. */
const CODES =
  /\berror="?(invalid_request|invalid_token|insufficient_scope|invalid_dpop_proof|use_dpop_nonce|insufficient_claims|insufficient_user_authentication)\b/

/** Characters that forge lines or hide text in a log. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu

/** What a 401 of an MCP server was about. */
interface Rejection {
  readonly client: string
  readonly serverUrl: string
  readonly resource: string | undefined
  readonly response: Response
}

/** The MCP server responded 401, and no new token changed that. */
export class McpUnauthorizedError extends TokenwardError {
  readonly code = 'mcp_unauthorized'
  /** The client's name. */
  readonly client: string
  /** The URL of the MCP server, without user name, password, query and fragment. */
  readonly serverUrl: string
  /** The code that the server gave in `WWW-Authenticate` (RFC 6750 §3.1), such as `invalid_token`. */
  readonly error: string | undefined

  constructor({ client, serverUrl, resource, response }: Rejection) {
    const [, error] = CODES.exec(response.headers.get('www-authenticate') ?? '') ?? []
    const { origin, pathname } = new URL(serverUrl)
    const reason = error === undefined ? '' : ` (${error})`
    const target = resource === undefined ? '' : `; it was requested for the resource ${resource}`
    const message = `the MCP server ${origin}${pathname} rejects the token of client '${client}'${reason}${target}`
    super(message.replace(UNPRINTABLE, ' '))
    this.client = client
    this.serverUrl = origin + pathname
    this.error = error
  }
}
