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

/** Resolves as {@link resolve} does, but parses only what has to be parsed. Remembers the last URL: many workers ask for one again and again. */
export class ResolvedHrefs {
  readonly #client: string
  readonly #base: string | undefined
  readonly #origins: CheckedOrigins
  #lastInput: string | undefined
  #lastHref = ''

  constructor(client: string, base: string | undefined, origins: CheckedOrigins) {
    this.#client = client
    this.#base = base
    this.#origins = origins
  }

  of(input: string | URL): string {
    if (typeof input !== 'string') return resolve(this.#client, input, this.#base).href
    if (input === this.#lastInput) return this.#lastHref
    const href = this.#asIs(input) ?? resolve(this.#client, input, this.#base).href
    this.#lastInput = input
    this.#lastHref = href
    return href
  }

  #asIs(input: string): string | undefined {
    if (this.#origins.allowedAsIs(input)) return input
    const href = joinedTo(this.#base, input)
    return href !== undefined && this.#origins.allowedAsIs(href) ? href : undefined
  }
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
