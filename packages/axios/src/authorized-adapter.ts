import type { RequestAuthorizer } from '@tokenward/core'
import { Axios, type AxiosRequestConfig, type AxiosResponse, getAdapter, type InternalAxiosRequestConfig } from 'axios'
import { abortSignalOf } from './abort-signal'
import type { AdapterFunction, Transport } from './attempt'
import { AuthorizedCall } from './authorized-call'
import { JoinedPaths } from './joined-paths'
import { snapshotConfig } from './snapshot'

type Adapter = InternalAxiosRequestConfig['adapter']

/** The property of an adapter of ours that has the adapter which its config had before. A config that is sent again has ours already. */
const ORIGINAL = Symbol('original')
// A property, because a WeakMap that gets an entry in each call costs more than the rest of the call.
type AuthorizedAdapter = AdapterFunction & { [ORIGINAL]: Adapter }

function isAuthorized(adapter: Adapter): adapter is AuthorizedAdapter {
  return typeof adapter === 'function' && ORIGINAL in adapter
}

function originalOf(adapter: Adapter): Adapter {
  return isAuthorized(adapter) ? adapter[ORIGINAL] : adapter
}

/** Computes the URL of a config. The defaults are merged into the config by then. */
const bare = new Axios({})

/** Adapters that send each request with a token, by the adapter that its config has. */
export class AuthorizedAdapters {
  readonly #authorizer: RequestAuthorizer
  readonly #paths = new JoinedPaths()
  #released = false
  /** The adapter for calls in which nobody else can have the config. It has no state, so that one serves all calls. */
  #shared: AuthorizedAdapter | undefined
  /** A config that nobody else has. */
  #own: InternalAxiosRequestConfig | undefined

  constructor(authorizer: RequestAuthorizer) {
    this.#authorizer = authorizer
  }

  /**
   * Sends requests with a token, by `adapter`. Once `isSuperseded`, it sends them as they are: then another of our adapters calls
   * this one.
   */
  authorizedUnless(isSuperseded: () => boolean, adapter: Adapter): AuthorizedAdapter {
    const original = originalOf(adapter)
    const isAxiosOwn = Array.isArray(original) ? !original.some(isFunction) : !isFunction(original)
    // Chosen when it is used: the fetch adapter depends on the `fetch` in the config.
    const transport: Transport = { send: (sent) => getAdapter(original, sent)(sent), isAxiosOwn }
    const authorized = ((config) => {
      if (this.#released || isSuperseded()) return transport.send(config)
      return this.#send(transport, config)
    }) as AuthorizedAdapter
    authorized[ORIGINAL] = original
    return authorized
  }

  /**
   * Makes a config send its request with a token.
   *
   * @param config nobody else has it, and it goes to its adapter before anything else happens
   */
  putInto(config: InternalAxiosRequestConfig): void {
    const original = originalOf(config.adapter)
    if (this.#shared === undefined || !isSame(this.#shared[ORIGINAL], original)) {
      this.#shared = this.authorizedUnless(never, Array.isArray(original) ? [...original] : original)
    }
    config.adapter = this.#shared
    this.#own = config
  }

  /** Replaces the adapter of a config, unless it sends requests with a token already. */
  ensure(config: InternalAxiosRequestConfig, authorized: (adapter: Adapter) => AdapterFunction): void {
    if (!isAuthorized(config.adapter)) config.adapter = authorized(config.adapter)
  }

  /** From now on requests are sent as they are, also those whose config has our adapter already. */
  release(): void {
    this.#released = true
  }

  /** Not async, as {@link AuthorizedCall.send}. */
  #send(transport: Transport, given: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    const { isAxiosOwn } = transport
    let release: (() => void) | undefined
    try {
      const isOwn = given === this.#own && isAxiosOwn
      this.#own = undefined
      const config = isOwn ? given : snapshotConfig(given, !isAxiosOwn)
      const { tokenParameters, retryOn401, proofClaims } = config
      const { url, hasCredentials } = this.#destination(config, isAxiosOwn)
      const request = {
        method: config.method?.toUpperCase() ?? 'GET',
        url,
        headers: () => new Headers(config.headers.toJSON(true) as Record<string, string>),
      }
      const abortSignal = abortSignalOf(config)
      release = abortSignal.release
      const call = { tokenParameters, retryOn401, proofClaims, signal: abortSignal.signal }
      const begun = this.#authorizer.begin(request, call)
      // An adapter of the user (a mock, for example) may look at the parts of the URL.
      const sent = new AuthorizedCall(transport, config, url, isAxiosOwn || hasCredentials).send(begun)
      return release ? sent.finally(release) : sent
    } catch (error) {
      release?.()
      return Promise.reject(error)
    }
  }

  /** The URL of a config, as adapters see it. One without a scheme, which they refuse, is resolved as core does. */
  #destination(
    { url: path, baseURL, allowAbsoluteUrls, params, paramsSerializer }: InternalAxiosRequestConfig,
    isAxiosOwn: boolean,
  ) {
    // The adapters of axios are sent to the URL that is checked here. Others join it themselves, so axios has to do it here, too.
    const joined = isAxiosOwn && !params ? this.#paths.join(baseURL, path) : undefined
    if (joined !== undefined) return { url: this.#authorizer.resolveHref(joined), hasCredentials: false }
    // Only what is needed: `getUri` copies its argument.
    const config = { url: path, baseURL, allowAbsoluteUrls, params, paramsSerializer } as AxiosRequestConfig
    const uri = bare.getUri(config)
    const url = !uri.startsWith('//') && URL.canParse(uri) ? new URL(uri) : this.#authorizer.resolve(uri)
    const hasCredentials = url.username !== '' || url.password !== ''
    // axios would make an Authorization header of them, in place of ours.
    if (hasCredentials) Object.assign(url, { username: '', password: '' })
    return { url: url.href, hasCredentials }
  }
}

const never = () => false

/** axios copies an array for each call. */
function isSame(one: Adapter, other: Adapter): boolean {
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other
  return one.length === other.length && one.every((name, index) => name === other[index])
}

function isFunction(adapter: unknown): boolean {
  return typeof adapter === 'function'
}
