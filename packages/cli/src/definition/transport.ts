import type { IncomingMessage } from 'node:http'
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { Readable } from 'node:stream'

/** TLS settings of the client. */
export interface TlsSettings {
  readonly cert?: string
  readonly key?: string
  /** Every certificate authority that is trusted. Without it: those that Node trusts. */
  readonly ca?: string[]
}

/**
 * A `fetch` with TLS settings of its own, which the platform's does not take. It covers what openid-client and an API call need:
 * a text or a form as body, no redirects.
 */
export function tlsFetch(tls: TlsSettings): typeof fetch {
  return async (input, init = {}) => {
    const request = new Request(input, init)
    const url = new URL(request.url)
    const body = Buffer.from(await request.arrayBuffer())
    const response = await send(url, request, body, tls)
    const { statusCode = 0, statusMessage = '' } = response
    const hasBody = ![204, 205, 304].includes(statusCode)
    if (!hasBody) response.resume()
    return new Response(hasBody ? (Readable.toWeb(response) as ReadableStream<Uint8Array>) : null, {
      status: statusCode,
      statusText: statusMessage,
      headers: pairsOf(response.rawHeaders),
    })
  }
}

function send(
  url: URL,
  { method, headers, signal }: Request,
  body: Buffer,
  tls: TlsSettings,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const options = {
      method,
      headers: { ...Object.fromEntries(headers), 'content-length': body.length },
      signal,
      // No connection stays open and keeps the process alive.
      agent: false as const,
    }
    const request =
      url.protocol === 'https:'
        ? requestHttps(url, { ...options, ...tls }, resolve)
        : requestHttp(url, options, resolve)
    // As the platform's fetch reports it.
    request.on('error', (cause) => reject(signal.aborted ? signal.reason : new TypeError('fetch failed', { cause })))
    request.end(body)
  })
}

/** Raw headers of `node:http` as pairs of name and value. */
export function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index + 1 < raw.length; index += 2) pairs.push([String(raw[index]), String(raw[index + 1])])
  return pairs
}
