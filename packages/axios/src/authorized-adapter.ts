import { type ApiResponse, isReplayableBody, type RequestAuthorization, type RequestAuthorizer } from '@tokenward/core'
import {
  Axios,
  AxiosHeaders,
  type AxiosRequestConfig,
  type AxiosResponse,
  getAdapter,
  type InternalAxiosRequestConfig,
} from 'axios'
import { abortSignalOf } from './abort-signal'
import { type AdapterFunction, attempt, type Outcome } from './attempt'
import { discard } from './bodies'
import { sendFollowing } from './follow-redirects'
import { finalUrl } from './redirects'

type Adapter = InternalAxiosRequestConfig['adapter']

/** What a config's adapter was before ours took its place; a config that is sent again has ours already. */
const originals = new WeakMap<AdapterFunction, Adapter>()

/** Tells the URL of a config with nothing but the config: the defaults are merged into it by then. */
const bare = new Axios({})

/** Adapters that send every request with a token, by way of the adapter that a config has. */
export class AuthorizedAdapters {
  readonly #authorizer: RequestAuthorizer
  #released = false

  constructor(authorizer: RequestAuthorizer) {
    this.#authorizer = authorizer
  }

  authorized(adapter: Adapter): AdapterFunction {
    const original = typeof adapter === 'function' && originals.has(adapter) ? originals.get(adapter) : adapter
    // Chosen when it is used: the adapter by fetch is made for the `fetch` that stands in the config.
    const plain: AdapterFunction = (config) => getAdapter(original, config)(config)
    const authorized: AdapterFunction = (config) => this.#send(plain, config)
    originals.set(authorized, original)
    return authorized
  }

  /** From now on requests go out as they are, also those whose config has been given our adapter before. */
  release(): void {
    this.#released = true
  }

  async #send(adapter: AdapterFunction, config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    if (this.#released) return adapter(config)
    const { tokenParameters, retryOn401, proofClaims, data } = config
    const url = this.#destination(config)
    const request = {
      method: config.method?.toUpperCase() ?? 'GET',
      url,
      headers: () => new Headers(config.headers.toJSON(true) as Record<string, string>),
    }
    const { signal, release } = abortSignalOf(config)
    try {
      const call = { tokenParameters, retryOn401, proofClaims, signal }
      let authorization: RequestAuthorization | undefined = await this.#authorizer.authorize(request, call)
      for (;;) {
        const outcome: Outcome = authorization.followsRedirects
          ? await sendFollowing(adapter, config, url, authorization)
          : await attempt(adapter, config, url, authorization.headers)
        const { response } = outcome
        authorization = response && (await authorization.next(answer(outcome.url, response), isReplayableBody(data)))
        if (!authorization) return outcome.settle()
      }
    } finally {
      release()
    }
  }

  /** Where a config leads, as adapters see it; what they refuse for want of a scheme is taken as core takes it. */
  #destination({ url, baseURL, allowAbsoluteUrls, params, paramsSerializer }: InternalAxiosRequestConfig): URL {
    // No more of the config: `getUri` copies what it is given.
    const uri = bare.getUri({ url, baseURL, allowAbsoluteUrls, params, paramsSerializer } as AxiosRequestConfig)
    return uri.startsWith('//') ? this.#authorizer.resolve(uri) : new URL(uri)
  }
}

function answer(url: URL, { status, headers, data, request }: AxiosResponse): ApiResponse {
  return {
    status,
    // An adapter of the user's may give a plain object.
    headers: {
      get: (name) =>
        AxiosHeaders.from(headers as AxiosHeaders)
          .get(name)
          ?.toString() ?? null,
    },
    url: finalUrl(request) ?? url.href,
    discard: () => discard(data),
  }
}
