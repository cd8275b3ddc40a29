import { ConfigurationError } from '../../errors'
import { isHttp } from './destinations'

/** Absolute as ofetch and axios see it: `items:batchGet` is a path, `//host` is not. */
const ABSOLUTE = /^([a-z][a-z\d+\-.]*:)?[\\/]{2}/i

/** The URL of a request, see `RequestAuthorizer.resolve`. */
export function resolve(client: string, input: string | URL, base: string | undefined): URL {
  if (input instanceof URL) return new URL(input)
  if (base !== undefined && !ABSOLUTE.test(input)) {
    return new URL(input === '' ? base : join(base, input))
  }
  try {
    // Not `canParse` before it: that would parse each URL twice.
    return new URL(input, base)
  } catch {
    throw unresolved(client, input)
  }
}

/** Joins them as ofetch and axios do. */
function join(base: string, path: string): string {
  const rest = path.startsWith('/') ? path.replace(/^\/+/, '') : path
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
