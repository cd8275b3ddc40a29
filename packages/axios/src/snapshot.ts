import { snapshotBody } from '@tokenward/core'
import type { InternalAxiosRequestConfig } from 'axios'

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
  const copy = { ...config, headers: config.headers.concat() }
  detachFromCaller(copy)
  if (keepsParams) copy.params = snapshotParams(copy.params)
  return copy
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
