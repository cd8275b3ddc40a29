import type { AuthorizedClientOptions } from '../../authorized-client-options'
import { isLoopback } from '../../is-loopback'
import type { StepUpOptions } from '../../step-up-options'
import type { TokenManager } from '../../token-manager'
import { OptionChecks, Problems } from './option-checks'
import { checkStepUp } from './step-ups'

const MANAGER_METHODS = [
  'getAccessToken',
  'rejectAccessToken',
  'acceptAccessToken',
  'presentAccessToken',
  'rememberNonce',
  'allowsInsecureRequests',
  'waitFor',
]

/** Where the tokens of an HTTP client may go. */
export interface Destinations {
  /** What relative URLs are joined to. */
  readonly base: string | undefined
  readonly allowedOrigins: ReadonlySet<string>
  /** What APIs may demand. */
  readonly stepUp: StepUpOptions | undefined
}

/** @throws ConfigurationError naming everything that is wrong with the arguments of an adapter. */
export function checkDestinations<Name extends string>(
  tokens: TokenManager<Name>,
  client: Name,
  options: AuthorizedClientOptions,
): Destinations {
  const problems = new Problems()
  const checks = new OptionChecks(problems, client)
  checks.methods('tokens', tokens ?? null, MANAGER_METHODS)
  if (!checks.object('options', options)) problems.throwIfAny()
  // Read once: what is checked is what is used.
  const baseURL = options.baseURL?.toString()
  const named = Array.isArray(options.allowedOrigins) ? options.allowedOrigins.map(String) : []
  if (options.allowedOrigins !== undefined && !Array.isArray(options.allowedOrigins)) {
    checks.problem('allowedOrigins', 'must be an array of origins')
  }
  checks.boolean('claimsChallenges', options.claimsChallenges)
  const stepUp = checkStepUp(checks, options.stepUp)
  problems.throwIfAny()
  const allowedOrigins = new Set<string>()
  const allow = (option: string, value: string) => {
    const url = checks.url(option, value)
    if (!url) return
    if (!isHttp(url)) checks.problem(option, 'must be an http(s) URL')
    else if (sendsInClear(url) && tokens.allowsInsecureRequests(client) === false) {
      const message = 'would send tokens by plain http; use https, or set allowInsecureRequests in the definition'
      checks.problem(option, message)
    } else allowedOrigins.add(url.origin)
  }
  if (baseURL !== undefined) allow('baseURL', baseURL)
  for (const [index, origin] of named.entries()) allow(`allowedOrigins[${index}]`, origin)
  if (baseURL === undefined && named.length === 0) {
    const message = 'missing, and so is allowedOrigins: one of them has to say where tokens may go'
    checks.problem('baseURL', message)
  }
  problems.throwIfAny()
  return { base: baseURL, allowedOrigins, stepUp }
}

/** `blob:` and others have the origin of an http(s) URL without being one. */
export function isHttp({ protocol }: URL): boolean {
  return protocol === 'https:' || protocol === 'http:'
}

/** Whether a token on its way to `url` can be read by others. */
function sendsInClear({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !isLoopback(hostname)
}

/** An origin that tokens may go to. */
export interface AllowedOrigin {
  readonly origin: string
  /** Whether a token on its way there can be read by others. */
  readonly isInClear: boolean
}

/**
 * The rest of a URL, after its origin and a slash, where a URL parser would change nothing: no part of the path can be a dot segment, and
 * no character has to be encoded (URL Standard, path and special-query percent-encode sets). Other such URLs exist, and are parsed.
 */
const NORMAL_REST =
  /(?:[\w\-~!$&()*+,;=:@][\w\-.~!$&()*+,;=:@%]*)?(?:\/(?:[\w\-~!$&()*+,;=:@][\w\-.~!$&()*+,;=:@%]*)?)*(?:\?[\w\-.~!$&()*+,;=:@%/?[\]]*)?$/y

/** Longer URLs are always parsed: for one of megabytes, the engine runs out of stack and throws a RangeError. */
const MOST_CHARACTERS = 8_192

/** Checks where URLs lead. Remembers what was allowed last: most requests go to one origin. */
export class CheckedOrigins {
  readonly #allowed: ReadonlySet<string>
  #last: AllowedOrigin | undefined
  #prefix = ''
  #lastHref: string | undefined

  /** @param allowed origins in their normal form. Most requests are expected to go to the first one */
  constructor(allowed: ReadonlySet<string>) {
    this.#allowed = allowed
    const [first] = allowed
    if (first !== undefined) this.allowed(new URL(first))
  }

  /** The origin of a URL, if tokens may go there. */
  allowed(url: URL): AllowedOrigin | undefined {
    if (!isHttp(url)) return undefined
    const { origin } = url
    if (this.#last?.origin === origin) return this.#last
    if (!this.#allowed.has(origin)) return undefined
    this.#last = { origin, isInClear: sendsInClear(url) }
    this.#prefix = `${origin}/`
    this.#lastHref = undefined
    return this.#last
  }

  /**
   * The origin of a URL that tokens may go to, if that can be told without parsing the URL, and parsing it would change nothing. To parse
   * a URL costs more than to find its token.
   */
  allowedAsIs(href: string): AllowedOrigin | undefined {
    if (href === this.#lastHref) return this.#last
    // What begins with an origin and a slash leads to that origin, whatever follows.
    if (this.#last === undefined || href.length > MOST_CHARACTERS || !href.startsWith(this.#prefix)) return undefined
    NORMAL_REST.lastIndex = this.#prefix.length
    if (!NORMAL_REST.test(href)) return undefined
    this.#lastHref = href
    return this.#last
  }
}
