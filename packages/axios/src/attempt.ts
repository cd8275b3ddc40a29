import type { AxiosError, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { redactHeaders, redactRequest, redactResponse } from './redact'
import { closeConnection, keepingFromOtherOrigins, reportingFinalUrl } from './redirects'
import { copyHeaders, setHeader } from './snapshot'

export type AdapterFunction = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>

/** What sends the requests of a call. */
export interface Transport {
  readonly send: AdapterFunction
  /** Whether it is one of axios itself. One of the user may keep or change what it gets, and return whatever it likes. */
  readonly isAxiosOwn: boolean
}

/** The outcome of one attempt. `validateStatus` decides whether a response is a success or an error. */
export class Outcome {
  /** Where it was sent. */
  readonly url: string
  readonly response: AxiosResponse | undefined
  readonly #failure: { readonly error: unknown } | undefined

  constructor(url: string, response: AxiosResponse | undefined, failure?: { readonly error: unknown }) {
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

export type Changes = Partial<Record<keyof InternalAxiosRequestConfig, unknown>>

/** What one attempt sends in place of what its config says. */
export interface Replacements {
  /** The URL that was checked. */
  readonly url: string
  /** Where to send the request. Undefined: to what the adapter makes of the config, which is `url`. */
  readonly target: string | undefined
  /** Headers, by lower-case name. */
  readonly secrets: Readonly<Record<string, string>>
  readonly changes?: Changes
}

/**
 * Sends what `config` says, with replacements. The outcome contains the config as it was, and no secret.
 *
 * @param config nobody else may have it: until there is an outcome, it is what is sent. To copy it costs more than to restore it
 * @param handle is called with the outcome, whichever it is. Its result is the result
 */
export function attempt<T>(
  transport: Transport,
  config: InternalAxiosRequestConfig,
  { url, target, secrets, changes }: Replacements,
  handle: (outcome: Outcome) => T | Promise<T>,
): Promise<T> {
  const original = changes && exchange(config, changes)
  const sent: Changes = config
  // What every attempt replaces is named here: the loop of `exchange` takes longer.
  const { url: path, baseURL, params, auth, env, beforeRedirect } = config
  if (target !== undefined) {
    sent.url = target
    sent.baseURL = undefined
    sent.params = undefined
  }
  // axios would make an Authorization header of it, in place of ours.
  if (auth) sent.auth = undefined
  sent.env = { ...env, fetch: reportingFinalUrl(config) }
  sent.beforeRedirect = keepingFromOtherOrigins(url, config)
  // A copy, because adapters write into it (a length, a boundary) what would be wrong in the next attempt.
  const headers = copyHeaders(config.headers)
  for (const name of Object.keys(secrets)) setHeader(headers, SPELLED_OUT[name] ?? name, secrets[name] ?? '')
  sent.headers = headers
  /** The same objects are in errors and responses, and interceptors that retry send the config again. */
  const clean = () => {
    sent.url = path
    sent.baseURL = baseURL
    sent.params = params
    if (auth) sent.auth = auth
    sent.env = env
    sent.beforeRedirect = beforeRedirect
    if (original) exchange(config, original)
    sent.headers = headers
    redactHeaders(headers, secrets)
  }
  const onResponse = (response: AxiosResponse | undefined) => {
    clean()
    if (response) redactResponse(response, secrets, transport.isAxiosOwn)
    return handle(new Outcome(url, response))
  }
  const onError = (error: unknown) => {
    const { response, request } = (error ?? {}) as AxiosError
    clean()
    redactRequest(request, secrets)
    redactRequest(response?.request, secrets)
    return handle(new Outcome(url, response, { error }))
  }
  try {
    return Promise.resolve(transport.send(config)).then(onResponse, onError)
  } catch (error) {
    // In a promise: `handle` may throw.
    return Promise.reject(error).then(undefined, onError)
  }
}

/** Puts `values` into a config. Returns those that were there. */
function exchange(config: InternalAxiosRequestConfig, values: Changes): Changes {
  const properties: Changes = config
  const replaced: Changes = {}
  for (const name of Object.keys(values) as (keyof Changes)[]) {
    replaced[name] = properties[name]
    properties[name] = values[name]
  }
  return replaced
}

/** The names of the secrets, as users of axios expect them in the headers of a config. */
const SPELLED_OUT: Readonly<Record<string, string>> = { authorization: 'Authorization', dpop: 'Dpop' }
