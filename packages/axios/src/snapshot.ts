import { snapshotBody } from '@tokenward/core'
import type { InternalAxiosRequestConfig } from 'axios'

/**
 * Puts copies in place of what `config` shares with the caller, which may change it while the request waits. axios itself
 * copies only plain objects.
 */
export function detachFromCaller(config: InternalAxiosRequestConfig): void {
  const { url, params } = config
  if (url !== undefined) config.url = String(url)
  if (params instanceof URLSearchParams) config.params = new URLSearchParams(params)
  config.data = snapshotBody(config.data)
}

/** A copy of a config as it is now. Interceptors may keep the config and change it later. */
export function snapshotConfig(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig {
  const { params, headers } = config
  const copy = { ...config, headers: headers.concat() }
  detachFromCaller(copy)
  if (typeof params === 'object' && Object.getPrototypeOf(params) === Object.prototype) copy.params = { ...params }
  return copy
}
