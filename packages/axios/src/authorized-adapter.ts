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
import { type AdapterFunction, attempt, type Outcome, type OutgoingRequest } from './attempt'
import { discard } from './discard'
import { sendFollowing } from './follow-redirects'
import { finalUrl } from './redirects'
import { snapshotConfig } from './snapshot'

type Adapter = InternalAxiosRequestConfig['adapter']

/** The adapter that a config had before ours replaced it. A config that is sent again has ours already. */
const originals = new WeakMap<AdapterFunction, Adapter>()

/** Computes the URL of a config. It has no defaults, because they are merged into the config by then. */
const bare = new Axios({})

/** Makes adapters that attach a token to every request and send it with the adapter that the config had. */
export class AuthorizedAdapters {
  readonly #authorizer: RequestAuthorizer
  #released = false

  constructor(authorizer: RequestAuthorizer) {
    this.#authorizer = authorizer
  }

  authorized(adapter: Adapter): AdapterFunction {
    const original = typeof adapter === 'function' && originals.has(adapter) ? originals.get(adapter) : adapter
    // Chosen at each call: axios makes the fetch adapter for the `fetch` in the config.
    const plain: AdapterFunction = (config) => getAdapter(original, config)(config)
    const isCustom = [original].flat().some((each) => typeof each === 'function')
    const authorized: AdapterFunction = (config) => this.#send(plain, isCustom, config)
    originals.set(authorized, original)
    return authorized
  }

  /** From now on requests go out without our tokens, also those whose config has our adapter already. */
  release(): void {
    this.#released = true
  }

  async #send(adapter: AdapterFunction, isCustom: boolean, given: InternalAxiosRequestConfig): Promise<AxiosResponse> {
    if (this.#released) return adapter(given)
    const config = snapshotConfig(given)
    const { tokenParameters, retryOn401, proofClaims, data } = config
    const uri = uriOf(config)
    const isAbsolute = URL.canParse(uri)
    const request = {
      method: config.method?.toUpperCase() ?? 'GET',
      url: isAbsolute ? new URL(uri) : this.#authorizer.resolve(uri),
      headers: () => new Headers(config.headers.toJSON(true) as Record<string, string>),
    }
    // Adapters such as axios-mock-adapter look for `url`, `baseURL` and `params` as the caller wrote them.
    const outgoing: OutgoingRequest = { adapter, config, keepsUrl: isCustom && isAbsolute }
    const { signal, release } = abortSignalOf(config)
    try {
      const call = { tokenParameters, retryOn401, proofClaims, signal }
      let authorization: RequestAuthorization | undefined = await this.#authorizer.authorize(request, call)
      for (;;) {
        const outcome: Outcome = authorization.followsRedirects
          ? await sendFollowing(outgoing, authorization)
          : await attempt(outgoing, new URL(authorization.url), authorization.headers)
        const { response } = outcome
        authorization = response && (await authorization.next(toApiResponse(outcome, response), isReplayableBody(data)))
        if (!authorization) return outcome.settle()
      }
    } finally {
      release()
    }
  }
}

/** Where a config leads, as axios's own adapters compute it. */
function uriOf({ url, baseURL, allowAbsoluteUrls, params, paramsSerializer }: InternalAxiosRequestConfig): string {
  // `getUri` copies what it gets, so it gets no more than it needs.
  return bare.getUri({ url, baseURL, allowAbsoluteUrls, params, paramsSerializer } as AxiosRequestConfig)
}

function toApiResponse({ url, close }: Outcome, { status, headers, data, request }: AxiosResponse): ApiResponse {
  return {
    status,
    // A custom adapter may return a plain object.
    headers: {
      get: (name) =>
        AxiosHeaders.from(headers as AxiosHeaders)
          .get(name)
          ?.toString() ?? null,
    },
    url: finalUrl(request) ?? url.href,
    discard: () => discard(data, close),
  }
}
