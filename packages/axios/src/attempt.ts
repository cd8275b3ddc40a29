import type { AxiosError, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { redactHeaders, redactRequest } from './redact'
import { closeConnection, keepingFromOtherOrigins, reportingFinalUrl } from './redirects'
import { copyHeaders, setHeader } from './snapshot'

export type AdapterFunction = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>

/** The outcome of one attempt. `validateStatus` decides whether a response is a success or an error. */
export class Outcome {
  /** Where it was sent. */
  readonly url: URL
  readonly response: AxiosResponse | undefined
  readonly #failure: { readonly error: unknown } | undefined

  constructor(url: URL, response: AxiosResponse | undefined, failure?: { readonly error: unknown }) {
    this.url = url
    this.response = response
    this.#failure = failure
  }

  /** The response of a success. Throws the error of all else. */
  settle(): AxiosResponse {
    if (this.#failure) throw this.#failure.error
    return this.response as AxiosResponse
  }

  /** Ends the connection of a response that is a stream. */
  cut(): void {
    closeConnection(this.response?.request)
  }
}

type Changes = Partial<Record<keyof InternalAxiosRequestConfig, unknown>>

/**
 * Sends what `config` says, with `secrets` as headers and with `changes`. The outcome contains the config as it was, and no secret.
 * Never rejects.
 */
export function attempt(
  adapter: AdapterFunction,
  config: InternalAxiosRequestConfig,
  url: URL,
  secrets: Readonly<Record<string, string>>,
  changes: Changes = {},
): Promise<Outcome> {
  // A copy, because adapters write into it (a length, a boundary) what would be wrong in the next attempt.
  const headers = copyHeaders((changes.headers as typeof config.headers) ?? config.headers)
  for (const name of Object.keys(secrets)) setHeader(headers, SPELLED_OUT[name] ?? name, secrets[name] ?? '')
  const replaced: Changes = {
    ...changes,
    beforeRedirect: keepingFromOtherOrigins(url, config),
    env: { ...config.env, fetch: reportingFinalUrl(config) },
  }
  // axios would make an Authorization header of it, in place of ours.
  if (config.auth) replaced.auth = undefined
  const sent = { ...config, ...replaced, headers } as InternalAxiosRequestConfig
  /** The same objects are in errors and responses, and interceptors that retry send the config again. */
  const clean = (request: unknown) => {
    const restored = sent as unknown as Record<string, unknown>
    for (const key of Object.keys(replaced) as (keyof typeof config)[]) restored[key] = config[key]
    redactHeaders(headers, secrets)
    sent.headers = headers
    redactRequest(request, secrets)
  }
  const onResponse = (response: AxiosResponse | undefined) => {
    clean(response?.request)
    return new Outcome(url, response)
  }
  const onError = (error: unknown) => {
    const { response, request } = (error ?? {}) as AxiosError
    clean(request)
    redactRequest(response?.request, secrets)
    return new Outcome(url, response, { error })
  }
  try {
    return Promise.resolve(adapter(sent)).then(onResponse, onError)
  } catch (error) {
    return Promise.resolve(onError(error))
  }
}

/** The names of the secrets, as users of axios expect them in the headers of a config. */
const SPELLED_OUT: Readonly<Record<string, string>> = { authorization: 'Authorization', dpop: 'Dpop' }

/** The changes that send a config to `url`. */
export function sendTo(url: string) {
  return { url, baseURL: undefined, params: undefined }
}
