import { copyByName, snapshotBody } from '@tokenward/core'
import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios'

/**
 * Puts copies in place of what `config` shares with the caller, who may change it while the request waits. axios itself copies
 * plain objects only.
 */
export function detachFromCaller(config: InternalAxiosRequestConfig): void {
  const { url, params, data } = config
  // Users of JavaScript may pass a URL object.
  if (typeof url === 'object') config.url = String(url)
  if (params instanceof URLSearchParams) config.params = new URLSearchParams(params)
  config.data = snapshotBody(data)
}

/**
 * A copy of a config as it is now: an interceptor may keep the config and change it later.
 *
 * @param keepsParams whether the adapter gets `params`, rather than the URL that was checked
 */
export function snapshotConfig(config: InternalAxiosRequestConfig, keepsParams: boolean): InternalAxiosRequestConfig {
  // That of axios has no prototype.
  const copy = copyByName(config)
  copy.headers = copyHeaders(config.headers)
  detachFromCaller(copy)
  if (keepsParams) copy.params = snapshotParams(copy.params)
  return copy
}

/** As `concat`, for headers that were checked already: when axios merged them, and again before it sends them. */
export function copyHeaders(headers: AxiosHeaders): AxiosHeaders {
  if (!(headers instanceof AxiosHeaders)) return (headers as AxiosHeaders).concat()
  const copy: Record<string, unknown> = new AxiosHeaders()
  for (const name of Object.keys(headers)) {
    const value: unknown = headers[name]
    copy[name] = Array.isArray(value) ? [...value] : value
  }
  return copy as unknown as AxiosHeaders
}

/** Sets a header, in place of those that differ from it in case only. As `set`, for a name and a value that are right. */
export function setHeader(headers: AxiosHeaders, name: string, value: string): void {
  const lower = name.toLowerCase()
  let isSet = false
  for (const key of Object.keys(headers)) {
    if (key.length !== name.length || key.toLowerCase() !== lower) continue
    if (isSet) delete headers[key]
    else headers[key] = value
    isSet = true
  }
  if (!isSet) headers[name] = value
}

function snapshotParams(params: unknown): unknown {
  if (typeof params !== 'object' || params === null || params instanceof URLSearchParams) return params
  try {
    return structuredClone(params)
  } catch {
    // It contains a function, which a serializer of the user may know.
    return { ...params }
  }
}
