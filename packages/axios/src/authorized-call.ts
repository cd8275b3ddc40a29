import { type ApiResponse, isReplayableBody, type RequestAuthorization } from '@tokenward/core'
import { AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios'
import { attempt, type Outcome, type Transport } from './attempt'
import { discard } from './discard'
import { sendFollowing } from './follow-redirects'
import { finalUrl } from './redirects'

type MaybeLater<T> = T | Promise<T>

/** One call of the caller, which may be sent more than once. */
export class AuthorizedCall {
  readonly #transport: Transport
  readonly #config: InternalAxiosRequestConfig
  readonly #url: string
  readonly #isSentToUrl: boolean
  /** The config's own, without what adapters and attempts write into a copy of them. */
  readonly #headers: InternalAxiosRequestConfig['headers']

  /**
   * @param config a config that nobody else has
   * @param isSentToUrl whether it is sent to the URL that was checked, rather than to what the adapter makes of the config
   */
  constructor(transport: Transport, config: InternalAxiosRequestConfig, url: string, isSentToUrl: boolean) {
    this.#transport = transport
    this.#config = config
    this.#url = url
    this.#isSentToUrl = isSentToUrl
    this.#headers = config.headers
  }

  /** Not async: with a cached token, the response is all there is to wait for. */
  send(authorization: MaybeLater<RequestAuthorization>): Promise<AxiosResponse> {
    if (authorization instanceof Promise) return authorization.then((each) => this.send(each))
    const url = this.#url
    const target = this.#isSentToUrl ? authorization.url : undefined
    const settle = (outcome: Outcome) => {
      const { response } = outcome
      if (response === undefined || authorization.isAnswer(response.status)) return outcome.settle()
      return this.#respond(outcome, response, authorization)
    }
    if (!authorization.followsRedirects) {
      return attempt(this.#transport, this.#configToSend(), { url, target, secrets: authorization.headers }, settle)
    }
    const configToSend = () => this.#configToSend()
    return sendFollowing(this.#transport, configToSend, { url, target }, authorization).then(settle)
  }

  /** The config of an attempt. The adapters of axios leave it as it is, but for its headers. */
  #configToSend(): InternalAxiosRequestConfig {
    if (!this.#transport.isAxiosOwn) return { ...this.#config, headers: this.#headers }
    this.#config.headers = this.#headers
    return this.#config
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
    url: finalUrl(request) ?? outcome.url,
    discard: () => discard(data, () => outcome.cut()),
  }
}
