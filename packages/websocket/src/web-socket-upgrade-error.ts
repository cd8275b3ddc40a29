import { TokenwardError } from '@tokenward/core'

/** The server did not agree to a WebSocket connection: it responded with another status than 101. */
export class WebSocketUpgradeError extends TokenwardError {
  readonly code = 'websocket_upgrade_failed'
  /** The client's name. */
  readonly client: string
  /** The HTTP status of the response. With 401, a new token did not change it, or none could be had. */
  readonly status: number
  /** The URL of the connection, without user name, password, query and fragment. */
  readonly url: string

  constructor({ client, status, url }: { client: string; status: number; url: URL }) {
    const shown = `${url.protocol}//${url.host}${url.pathname}`
    super(`${shown} responded ${status} to the WebSocket connection of client '${printable(client)}'`)
    this.client = client
    this.status = status
    this.url = shown
  }
}

/** Without characters that forge lines or hide text in a log. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu, ' ')
}
