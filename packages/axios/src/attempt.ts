import type { AxiosError, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { redactHeaders, redactRequest } from './redact'
import { closeConnection, keepingFromOtherOrigins, reportingFinalUrl } from './redirects'

export type AdapterFunction = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>

/** The outcome of one attempt. `validateStatus` decides whether a response is a success or an error. */
export interface Outcome {
  /** Where it was sent. */
  readonly url: URL
  readonly response: AxiosResponse | undefined
  settle(): AxiosResponse
  /** Ends the connection of a response that is a stream. */
  cut(): void
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
  // A copy, because adapters write into it (a length, a boundary) what would be wrong in the next attempt.
  const headers = ((changes.headers as typeof config.headers) ?? config.headers).concat()
  for (const name of Object.keys(secrets)) headers.set(SPELLED_OUT[name] ?? name, secrets[name], true)
  const replaced = {
    // axios would make an Authorization header of it, in place of ours.
    ...(config.auth && { auth: undefined }),
    beforeRedirect: keepingFromOtherOrigins(url, config),
    env: { ...config.env, fetch: reportingFinalUrl(config) },
    ...changes,
  }
  const sent = { ...config, ...replaced, headers } as InternalAxiosRequestConfig
  let outcome: Outcome
  try {
    const response = await adapter(sent)
    outcome = { url, response, settle: () => response, cut: () => closeConnection(response.request) }
  } catch (error) {
    const { response, request } = (error ?? {}) as AxiosError
    redactRequest(request, secrets)
    const settle = () => {
      throw error
    }
    outcome = { url, response, settle, cut: () => closeConnection(response?.request) }
  }
  // The same object is in errors and responses, and interceptors that retry send it again.
  const restored = sent as unknown as Record<string, unknown>
  for (const key of Object.keys(replaced) as (keyof typeof config)[]) restored[key] = config[key]
  redactHeaders(headers, secrets)
  sent.headers = headers
  redactRequest(outcome.response?.request, secrets)
  return outcome
}

/** The names of the secrets, as users of axios expect them in the headers of a config. */
const SPELLED_OUT: Readonly<Record<string, string>> = { authorization: 'Authorization', dpop: 'Dpop' }

/** The changes that send a config to `url`. */
export function sendTo(url: string) {
  return { url, baseURL: undefined, params: undefined }
}
