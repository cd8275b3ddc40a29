import { type ApiResponse, isReplayableBody, type RequestAuthorization, type RequestAuthorizer } from '@tokenward/core'
import {
  Axios,
  AxiosHeaders,
  type AxiosRequestConfig,
  type AxiosRequestTransformer,
  type AxiosResponse,
  getAdapter,
  type InternalAxiosRequestConfig,
} from 'axios'
import { abortSignalOf } from './abort-signal'
import { type AdapterFunction, attempt, type Outcome, sendTo } from './attempt'
import { discard } from './discard'
import { sendFollowing } from './follow-redirects'
import { finalUrl } from './redirects'
import { snapshotConfig } from './snapshot'

type Adapter = InternalAxiosRequestConfig['adapter']

/** The adapter that a config had before ours. A config that is sent again has ours already. */
const originals = new WeakMap<AdapterFunction, Adapter>()

type Transform = InternalAxiosRequestConfig['transformRequest']

/** The guards among the functions of `transformRequest`. */
const guards = new WeakSet<object>()

/** `transformRequest` with `guard` as its last function, in place of a guard that it had before. */
export function withLast(transform: Transform, guard: AxiosRequestTransformer): AxiosRequestTransformer[] {
  return [...[transform ?? []].flat().filter((each) => !guards.has(each)), guard]
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
    const original = typeof adapter === 'function' && originals.has(adapter) ? originals.get(adapter) : adapter
    // Chosen when it is used: the fetch adapter depends on the `fetch` in the config.
    const plain: AdapterFunction = (config) => getAdapter(original, config)(config)
    const isAxiosOwn = Array.isArray(original) ? !original.some(isFunction) : !isFunction(original)
    const authorized: AdapterFunction = (config) =>
      this.#released || isSuperseded() ? plain(config) : this.#send(plain, isAxiosOwn, config)
    originals.set(authorized, original)
    return authorized
  }

  /** A transformation that changes no data. It replaces an adapter that a transformation before it has set. */
  guard(authorized: (adapter: Adapter) => AdapterFunction): AxiosRequestTransformer {
    const guard = function guard(this: InternalAxiosRequestConfig, data: unknown) {
      const { adapter } = this
      if (typeof adapter !== 'function' || !originals.has(adapter)) this.adapter = authorized(adapter)
      return data
    }
    guards.add(guard)
    return guard
  }

  /** From now on requests are sent as they are, also those whose config has our adapter already. */
  release(): void {
    this.#released = true
  }

  async #send(
    adapter: AdapterFunction,
    isAxiosOwn: boolean,
    given: InternalAxiosRequestConfig,
  ): Promise<AxiosResponse> {
    const config = snapshotConfig(given, !isAxiosOwn)
    const { tokenParameters, retryOn401, proofClaims, data } = config
    const { url, hasCredentials } = this.#destination(config, isAxiosOwn)
    const request = {
      method: config.method?.toUpperCase() ?? 'GET',
      url,
      headers: () => new Headers(config.headers.toJSON(true) as Record<string, string>),
    }
    const { signal, release } = abortSignalOf(config)
    try {
      const call = { tokenParameters, retryOn401, proofClaims, signal }
      const begun = this.#authorizer.begin(request, call)
      let authorization: RequestAuthorization | undefined = begun instanceof Promise ? await begun : begun
      // An adapter of the user (a mock, for example) may look at the parts of the URL.
      const target = isAxiosOwn || hasCredentials ? sendTo(authorization.url) : {}
      for (;;) {
        const outcome: Outcome = authorization.followsRedirects
          ? await sendFollowing(adapter, config, url, authorization, target)
          : await attempt(adapter, config, url, authorization.headers, target)
        const { response } = outcome
        if (response && authorization.isAnswer(response.status)) return outcome.settle()
        authorization = response && (await authorization.next(apiResponse(outcome, response), isReplayableBody(data)))
        if (!authorization) return outcome.settle()
      }
    } finally {
      release()
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

function apiResponse({ url, cut }: Outcome, { status, headers, data, request }: AxiosResponse): ApiResponse {
  return {
    status,
    // An adapter of the user may return a plain object.
    headers: {
      get: (name) =>
        AxiosHeaders.from(headers as AxiosHeaders)
          .get(name)
          ?.toString() ?? null,
    },
    url: finalUrl(request) ?? url.href,
    discard: () => discard(data, cut),
  }
}
