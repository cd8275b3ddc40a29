import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/** A request that the proxy answers itself, because no token may be spent on it. */
export interface Refusal {
  readonly status: 400 | 403
  readonly message: string
}

/**
 * Programs on this machine may use the proxy, but not web pages that a browser on it shows. A page can send requests to 127.0.0.1, and
 * by a DNS name of its own that leads there it could also read the responses.
 */
export function refusalOf(
  { headers, url = '' }: IncomingMessage,
  allowedHosts: readonly string[],
): Refusal | undefined {
  // An absolute URL names a host of its own, and '//' would too.
  if (!url.startsWith('/') || url.startsWith('//'))
    return { status: 400, message: 'the request target must be a path that begins with one slash' }
  const host = urlOf(`http://${headers.host}`)
  if (headers.host === undefined || host === undefined)
    return { status: 400, message: 'the Host header is missing or wrong' }
  const name = host.hostname.replace(/^\[|\]$/g, '')
  if (isIP(name) === 0 && name !== 'localhost' && !allowedHosts.includes(name))
    return {
      status: 403,
      message: `Host is ${name}: if callers use this name, start the proxy with --allow-host ${name}`,
    }
  const site = headers['sec-fetch-site']
  const isForeign = headers.origin !== undefined && urlOf(headers.origin)?.host !== host.host
  if (isForeign || site === 'cross-site' || site === 'same-site')
    return { status: 403, message: 'requests of web pages of other origins are refused' }
  return undefined
}

function urlOf(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined
}
