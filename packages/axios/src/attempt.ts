import type { AxiosError, AxiosResponse, InternalAxiosRequestConfig } from 'axios'
import { redactHeaders, redactRequest } from './redact'
import { closeConnection, keepingFromOtherOrigins, reportingFinalUrl } from './redirects'

export type AdapterFunction = (config: InternalAxiosRequestConfig) => Promise<AxiosResponse>

/** A request of a caller, before it has its token. */
export interface OutgoingRequest {
  readonly adapter: AdapterFunction
  readonly config: InternalAxiosRequestConfig
  /** Whether the adapter gets `url`, `baseURL` and `params` as they are in the config, rather than the URL that was checked. */
  readonly keepsUrl: boolean
}

type ConfigChanges = Partial<Record<keyof InternalAxiosRequestConfig, unknown>>

/** The result of one attempt. `validateStatus` decides whether a response is a success or an error. */
export interface Outcome {
  /** The URL that the request was sent to. */
  readonly url: URL
  readonly response: AxiosResponse | undefined
  settle(): AxiosResponse
  /** Closes the connection of a streamed response that nobody gets. */
  close(): void
}

/**
 * Sends a request to `url` with the headers `secrets`, and with `changes` to its config. The config in the response or the
 * error is as it was before, and holds no secret.
 */
export async function attempt(
  { adapter, config, keepsUrl }: OutgoingRequest,
  url: URL,
  secrets: Readonly<Record<string, string>>,
  changes: ConfigChanges = {},
): Promise<Outcome> {
  const names = Object.keys(secrets)
  // A copy: adapters set headers in it (a length, a boundary) that would be wrong the next time.
  const headers = ((changes.headers as typeof config.headers) ?? config.headers).concat()
  for (const name of names) headers.set(capitalized(name), secrets[name], true)
  const replaced = {
    ...destination(config, url, keepsUrl),
    beforeRedirect: keepingFromOtherOrigins(url, names, config),
    env: { ...config.env, fetch: reportingFinalUrl(config) },
    ...changes,
  }
  const sent = { ...config, ...replaced, headers } as InternalAxiosRequestConfig
  let outcome: Outcome
  try {
    const response = await adapter(sent)
    outcome = { url, response, settle: () => response, close: () => closeConnection(response.request) }
  } catch (error) {
    const { response, request } = (error ?? {}) as AxiosError
    redactRequest(request, secrets)
    const settle = () => {
      throw error
    }
    outcome = { url, response, settle, close: () => closeConnection(response?.request) }
  }
  // Errors and responses hold this object, and some callers send it again.
  for (const key of Object.keys(replaced) as (keyof typeof config)[]) Object.assign(sent, { [key]: config[key] })
  redactHeaders(headers, secrets)
  sent.headers = headers
  redactRequest(outcome.response?.request, secrets)
  return outcome
}

/** `Authorization`, because callers of axios look for header names in this form. */
function capitalized(name: string): string {
  return name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase())
}

/** Without credentials in the URL and `auth`, from which axios would make an `Authorization` header in place of ours. */
function destination({ auth }: InternalAxiosRequestConfig, url: URL, keepsUrl: boolean): ConfigChanges {
  const hasCredentials = url.username !== '' || url.password !== ''
  if (keepsUrl && !hasCredentials) return auth ? { auth: undefined } : {}
  const target = new URL(url)
  target.username = ''
  target.password = ''
  return { auth: undefined, url: target.href, baseURL: undefined, params: undefined }
}
