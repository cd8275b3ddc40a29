import { ConfigurationError } from '@tokenward/core'

const HTTP: Readonly<Record<string, string>> = {
  'ws:': 'http:',
  'wss:': 'https:',
  'http:': 'http:',
  'https:': 'https:',
}

/**
 * The http(s) URL that opens a WebSocket connection (RFC 6455 §3).
 *
 * @throws ConfigurationError when it is none
 */
export function httpUrl(client: string, option: string, given: string | URL): URL {
  const fail = (message: string) => new ConfigurationError([{ client, option, message }])
  const text = String(given)
  if (!URL.canParse(text)) throw fail('must be an absolute URL')
  const { protocol } = new URL(text)
  const http = HTTP[protocol]
  if (http === undefined) throw fail(`must be a ws(s) or http(s) URL, not ${protocol}`)
  // `protocol` of a URL object cannot change from ws to http.
  return new URL(http + new URL(text).href.slice(protocol.length))
}

/** The URL as WebSocket libraries and their users write it. */
export function webSocketUrl(url: URL): URL {
  return new URL(url.href.replace(/^http/, 'ws'))
}
