import type { RequestAuthorizer } from '@tokenward/core'
import {
  Axios,
  type AxiosRequestConfig,
  type AxiosRequestTransformer,
  type AxiosResponse,
  getAdapter,
  type InternalAxiosRequestConfig,
} from 'axios'
import { abortSignalOf } from './abort-signal'
import type { AdapterFunction, Transport } from './attempt'
import { AuthorizedCall } from './authorized-call'
import { snapshotConfig } from './snapshot'

type Adapter = InternalAxiosRequestConfig['adapter']
type Transform = InternalAxiosRequestConfig['transformRequest']

/** The property of an adapter of ours that has the adapter which its config had before. A config that is sent again has ours already. */
const ORIGINAL = Symbol('original')
/** The property of a transformation of ours that has the one which the config had before, if any. */
const GUARDED = Symbol('guarded')

// Properties, because a WeakMap that gets an entry in each call costs more than the rest of the call.
type AuthorizedAdapter = AdapterFunction & { [ORIGINAL]: Adapter }
type Guard = AxiosRequestTransformer & { [GUARDED]: AxiosRequestTransformer | undefined }

/** `transformRequest` with `guard` at its end, in place of a guard that it had before. */
export function guarded(
  transform: Transform,
  guard: (config: InternalAxiosRequestConfig) => void,
): AxiosRequestTransformer[] {
  const all = Array.isArray(transform) ? transform.map(unguarded) : [unguarded(transform ?? undefined)]
  const others = all.filter((each) => each !== undefined)
  const last = others.pop()
  // One function with the last one: axios normalizes all headers before each.
  const guardedLast = function transformAndGuard(this: InternalAxiosRequestConfig, ...args) {
    const data = last ? last.apply(this, args) : args[0]
    guard(this)
    return data
  } as Guard
  guardedLast[GUARDED] = last
  others.push(guardedLast)
  return others
}

function unguarded(transform: AxiosRequestTransformer | undefined): AxiosRequestTransformer | undefined {
  return transform !== undefined && GUARDED in transform ? (transform as Guard)[GUARDED] : transform
}

function isAuthorized(adapter: Adapter): adapter is AuthorizedAdapter {
  return typeof adapter === 'function' && ORIGINAL in adapter
}

/** Computes the URL of a config. The defaults are merged into the config by then. */
const bare = new Axios({})

/** Adapters that send each request with a token, by the adapter that its config has. */
export class AuthorizedAdapters {
  readonly #authorizer: RequestAuthorizer
  #released = false

  constructor(authorizer: RequestAuthorizer) {
    this.#authorizer = authorizer
  }

  /**
   * Sends requests with a token, by `adapter`. Once `isSuperseded`, it sends them as they are: then another of our adapters calls
   * this one.
   */
  authorizedUnless(isSuperseded: () => boolean, adapter: Adapter): AdapterFunction {
    const original = isAuthorized(adapter) ? adapter[ORIGINAL] : adapter
    const authorized = ((config) => {
      // Chosen when it is used: the fetch adapter depends on the `fetch` in the config.
      const plain: AdapterFunction = (sent) => getAdapter(original, sent)(sent)
      if (this.#released || isSuperseded()) return plain(config)
      const isAxiosOwn = Array.isArray(original) ? !original.some(isFunction) : !isFunction(original)
      return this.#send({ send: plain, isAxiosOwn }, config)
    }) as AuthorizedAdapter
    authorized[ORIGINAL] = original
    return authorized
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
      const config = snapshotConfig(given, !isAxiosOwn)
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
    const joined = isAxiosOwn && !params ? joinPath(baseURL, path) : undefined
    if (joined !== undefined) return { url: this.#authorizer.resolve(joined), hasCredentials: false }
    // Only what is needed: `getUri` copies its argument.
    const config = { url: path, baseURL, allowAbsoluteUrls, params, paramsSerializer } as AxiosRequestConfig
    const uri = bare.getUri(config)
    const url = !uri.startsWith('//') && URL.canParse(uri) ? new URL(uri) : this.#authorizer.resolve(uri)
    const hasCredentials = url.username !== '' || url.password !== ''
    // axios would make an Authorization header of them, in place of ours.
    if (hasCredentials) Object.assign(url, { username: '', password: '' })
    return { url, hasCredentials }
  }
}

function isFunction(adapter: unknown): boolean {
  return typeof adapter === 'function'
}

/** A path that can only be one: without a scheme or a host, and without anything that has to be encoded. */
const PATH = /^\/?[\w\-.~][\w\-.~/?=&%]*$/
/** A base without credentials, a query or a fragment. */
const BASE = /^https?:\/\/[\w\-.:[\]]+(\/[\w\-.~/%]*)?$/

/** The URL of a usual path below a usual base, for less than `getUri`, which merges whole configs. */
function joinPath(base: string | undefined, path: string | undefined): string | undefined {
  if (typeof base !== 'string' || typeof path !== 'string' || !BASE.test(base) || !PATH.test(path)) return undefined
  return `${base.replace(/\/+$/, '')}/${path.startsWith('/') ? path.slice(1) : path}`
}
