import { type ApiResponse, isReplayableBody, type RequestAuthorization } from '@tokenward/core'
import { AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios'
import { type AdapterFunction, attempt, type Outcome, sendTo } from './attempt'
import { discard } from './discard'
import { sendFollowing } from './follow-redirects'
import { finalUrl } from './redirects'

type MaybeLater<T> = T | Promise<T>

/** One call of the caller, which may be sent more than once. */
export class AuthorizedCall {
  readonly #adapter: AdapterFunction
  readonly #config: InternalAxiosRequestConfig
  readonly #url: URL
  readonly #isSentToUrl: boolean

  /**
   * @param config a config that nobody else has
   * @param isSentToUrl whether it is sent to the URL that was checked, rather than to what the adapter makes of the config
   */
  constructor(adapter: AdapterFunction, config: InternalAxiosRequestConfig, url: URL, isSentToUrl: boolean) {
    this.#adapter = adapter
    this.#config = config
    this.#url = url
    this.#isSentToUrl = isSentToUrl
  }

  /** Not async: with a cached token, the response is all there is to wait for. */
  send(authorization: MaybeLater<RequestAuthorization>): Promise<AxiosResponse> {
    if (authorization instanceof Promise) return authorization.then((each) => this.send(each))
    return this.#attempt(authorization).then((outcome) => {
      const { response } = outcome
      if (response === undefined || authorization.isAnswer(response.status)) return outcome.settle()
      return this.#respond(outcome, response, authorization)
    })
  }

  #attempt(authorization: RequestAuthorization): Promise<Outcome> {
    const target = this.#isSentToUrl ? sendTo(authorization.url) : {}
    return authorization.followsRedirects
      ? sendFollowing(this.#adapter, this.#config, this.#url, authorization, target)
      : attempt(this.#adapter, this.#config, this.#url, authorization.headers, target)
  }

  /** The response, or that of another attempt. */
  async #respond(
    outcome: Outcome,
    response: AxiosResponse,
    authorization: RequestAuthorization,
  ): Promise<AxiosResponse> {
    const again = await authorization.next(apiResponse(outcome, response), isReplayableBody(this.#config.data))
    return again ? this.send(again) : outcome.settle()
  }
}

function apiResponse(outcome: Outcome, { status, headers, data, request }: AxiosResponse): ApiResponse {
  return {
    status,
    // An adapter of the user may return a plain object.
    headers: {
      get: (name) =>
        AxiosHeaders.from(headers as AxiosHeaders)
          .get(name)
          ?.toString() ?? null,
    },
    url: finalUrl(request) ?? outcome.url.href,
    discard: () => discard(data, () => outcome.cut()),
  }
}
