import { ConfigurationError } from '../../errors'
import { type CheckedOrigins, isHttp } from './destinations'

/** Absolute as ofetch and axios see it: `items:batchGet` is a path, `//host` is not. */
const ABSOLUTE = /^([a-z][a-z\d+\-.]*:)?[\\/]{2}/i

/** The URL of a request, see `RequestAuthorizer.resolve`. */
export function resolve(client: string, input: string | URL, base: string | undefined): URL {
  if (input instanceof URL) return new URL(input)
  const joined = joinedTo(base, input)
  if (joined !== undefined) return new URL(joined)
  try {
    // Not `canParse` before it: that would parse each URL twice.
    return new URL(input, base)
  } catch {
    throw unresolved(client, input)
  }
}

/** As {@link resolve}, but parses only what has to be parsed. */
export function resolvedHref(
  client: string,
  input: string | URL,
  base: string | undefined,
  origins: CheckedOrigins,
): string {
  if (typeof input === 'string') {
    if (origins.allowedAsIs(input)) return input
    const href = joinedTo(base, input)
    if (href !== undefined && origins.allowedAsIs(href)) return href
  }
  return resolve(client, input, base).href
}

/** A relative URL, joined to its base. */
function joinedTo(base: string | undefined, input: string): string | undefined {
  if (base === undefined || (mayBeAbsolute(input) && ABSOLUTE.test(input))) return undefined
  return input === '' ? base : join(base, input)
}

/** Costs less than {@link ABSOLUTE}: most paths contain no colon. */
function mayBeAbsolute(input: string): boolean {
  return isSlash(input.charCodeAt(0)) ? isSlash(input.charCodeAt(1)) : input.includes(':')
}

function isSlash(code: number): boolean {
  return code === 0x2f || code === 0x5c
}

/** Joins them as ofetch and axios do. */
function join(base: string, path: string): string {
  const rest = path.charCodeAt(0) === 0x2f ? path.replace(/^\/+/, '') : path
  return base.endsWith('/') ? base + rest : `${base}/${rest}`
}

function unresolved(client: string, input: string): ConfigurationError {
  // A query may hold secrets.
  const [path = ''] = String(input).split(/[?#]/)
  const message = `missing, and the request's URL is not absolute: '${path.slice(0, 100)}'`
  return new ConfigurationError([{ client, option: 'baseURL', message }])
}

/** The origin; of a URL that has none (`data:`, `blob:`), the scheme. */
export function describe(url: URL): string {
  return isHttp(url) ? url.origin : url.protocol
}
