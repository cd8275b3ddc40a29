import { pairsOf } from '../definition/transport'

/** Headers that concern one connection only (RFC 9110 §7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]
/** What the proxy sets itself. A caller's own credentials do not reach the API. */
const OF_REQUEST = new Set([...HOP_BY_HOP, 'authorization', 'dpop', 'expect', 'host'])
/** `alt-svc` would lead callers past the proxy. */
const OF_RESPONSE = new Set([...HOP_BY_HOP, 'alt-svc'])

/**
 * A request's headers as they are sent on: names and values in turn.
 *
 * @param alsoDropped the lower-case name of one more header to leave out
 */
export function forwardedRequestHeaders(raw: readonly string[], alsoDropped = ''): string[] {
  const forwarded: string[] = []
  let named: readonly string[] = []
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = String(raw[index]).toLowerCase()
    const value = String(raw[index + 1])
    if (name === 'connection') named = [...named, ...namesIn(value)]
    else if (name !== alsoDropped && !OF_REQUEST.has(name)) forwarded.push(String(raw[index]), value)
  }
  return named.length === 0
    ? forwarded
    : pairsOf(forwarded)
        .filter(([name]) => !named.includes(name.toLowerCase()))
        .flat()
}

type Headers = Readonly<Record<string, string | string[] | undefined>>

/** A response's headers as they are sent on. */
export function forwardedResponseHeaders(headers: Headers): Record<string, string | string[]> {
  const named = namesIn([headers.connection ?? []].flat().join(','))
  const forwarded: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined && !OF_RESPONSE.has(name) && !named.includes(name)) forwarded[name] = value
  }
  return forwarded
}

/** The headers that a Connection header declares as its own, but for the usual one, which is left out in any case. */
function namesIn(connection: string): readonly string[] {
  if (connection === '' || connection.toLowerCase() === 'keep-alive') return []
  return connection.split(',').map((name) => name.trim().toLowerCase())
}
