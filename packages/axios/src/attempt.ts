import type { AxiosError, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { redactHeaders, redactRequest } from './redact'
import { keepingFromOtherOrigins, reportingFinalUrl } from './redirects'

export type AdapterFunction = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>

/** The outcome of one attempt. `validateStatus` decides whether a response is a success or an error. */
export interface Outcome {
  /** Where it was sent. */
  readonly url: URL
  readonly response: AxiosResponse | undefined
  settle(): AxiosResponse
}

/**
 * Sends what `config` says, with `secrets` as headers and with `changes`. The outcome contains the config as it was, and no secret.
 */
export async function attempt(
  adapter: AdapterFunction,
  config: InternalAxiosRequestConfig,
  url: URL,
  secrets: Readonly<Record<string, string>>,
  changes: Partial<Record<keyof InternalAxiosRequestConfig, unknown>> = {},
): Promise<Outcome> {
  const names = Object.keys(secrets)
  // A copy, because adapters write into it (a length, a boundary) what would be wrong in the next attempt.
  const headers = ((changes.headers as typeof config.headers) ?? config.headers).concat()
  for (const name of names) headers.set(spelledOut(name), secrets[name], true)
  const replaced = {
    ...withoutCredentials(config, url),
    beforeRedirect: keepingFromOtherOrigins(url, names, config),
    env: { ...config.env, fetch: reportingFinalUrl(config) },
    ...changes,
  }
  const sent = { ...config, ...replaced, headers } as InternalAxiosRequestConfig
  let outcome: Outcome
  try {
    const response = await adapter(sent)
    outcome = { url, response, settle: () => response }
  } catch (error) {
    const { response, request } = (error ?? {}) as AxiosError
    redactRequest(request, secrets)
    const settle = () => {
      throw error
    }
    outcome = { url, response, settle }
  }
  // The same object is in errors and responses, and interceptors that retry send it again.
  for (const key of Object.keys(replaced) as (keyof typeof config)[]) Object.assign(sent, { [key]: config[key] })
  redactHeaders(headers, secrets)
  sent.headers = headers
  redactRequest(outcome.response?.request, secrets)
  return outcome
}

/** `Authorization` for `authorization`, as users of axios expect it in the headers of a config. */
function spelledOut(name: string): string {
  return name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())
}

/** Removes what axios would make its own `Authorization` header from. */
function withoutCredentials({ auth }: InternalAxiosRequestConfig, url: URL) {
  if (!url.username && !url.password) return auth ? { auth: undefined } : {}
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return { auth: undefined, url: bare.href, baseURL: undefined, params: undefined }
}
