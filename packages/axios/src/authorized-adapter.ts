import {
  type ApiResponse,
  isReplayableBody,
  type RequestAuthorization,
  type RequestAuthorizer,
  snapshotBody,
} from '@tokenward/core'
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

/** The adapter that a config had before ours. A config that is sent again has ours already. */
const originals = new WeakMap<AdapterFunction, Adapter>()

/** Computes the URL of a config. The defaults are merged into the config by then. */
const bare = new Axios({})

/** Adapters that send each request with a token, by the adapter that its config has. */
export class AuthorizedAdapters {
  readonly #authorizer: RequestAuthorizer
  #released = false

  constructor(authorizer: RequestAuthorizer) {
    this.#authorizer = authorizer
  }

  authorized(adapter: Adapter): AdapterFunction {
    const original = typeof adapter === 'function' && originals.has(adapter) ? originals.get(adapter) : adapter
    // Chosen when it is used: the fetch adapter depends on the `fetch` in the config.
    const plain: AdapterFunction = (config) => getAdapter(original, config)(config)
    const authorized: AdapterFunction = (config) => this.#send(plain, config)
    originals.set(authorized, original)
    return authorized
  }

  /** From now on requests are sent as they are, also those whose config has our adapter already. */
  release(): void {
    this.#released = true
  }

  async #send(adapter: AdapterFunction, given: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    if (this.#released) return adapter(given)
    const config = snapshot(given)
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
        authorization =
          response && (await authorization.next(apiResponse(outcome.url, response), isReplayableBody(data)))
        if (!authorization) return outcome.settle()
      }
    } finally {
      release()
    }
  }

  /** The URL of a config, as adapters see it. One without a scheme, which they refuse, is resolved as core does. */
  #destination({ url, baseURL, allowAbsoluteUrls, params, paramsSerializer }: InternalAxiosRequestConfig): URL {
    // Only what is needed: `getUri` copies its argument.
    const uri = bare.getUri({ url, baseURL, allowAbsoluteUrls, params, paramsSerializer } as AxiosRequestConfig)
    return !uri.startsWith('//') && URL.canParse(uri) ? new URL(uri) : this.#authorizer.resolve(uri)
  }
}

/** The config as it is now. What the caller changes while a token is requested does not change what is sent. */
function snapshot(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const { headers, params, data } = config
  return { ...config, headers: headers.concat(), params: snapshotParams(params), data: snapshotBody(data) }
}

function snapshotParams(params: unknown): unknown {
  if (params instanceof URLSearchParams) return new URLSearchParams(params)
  if (typeof params !== 'object' || params === null) return params
  try {
    return structuredClone(params)
  } catch {
    // It contains a function, which a serializer of the user may know.
    return { ...params }
  }
}

function apiResponse(url: URL, { status, headers, data, request }: AxiosResponse): ApiResponse {
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
    discard: () => discard(data),
  }
}
