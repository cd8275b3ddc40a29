import type { InternalAxiosRequestConfig } from 'axios'

/** One signal for all ways to cancel a request of axios. `release` removes its listeners, if there are any. */
export function abortSignalOf({ signal, cancelToken }: Pick<InternalAxiosRequestConfig, 'signal' | 'cancelToken'>): {
  signal: AbortSignal | undefined
  release: (() => void) | undefined
} {
  if (!cancelToken && (!signal || signal instanceof AbortSignal)) return { signal, release: undefined }
  const controller = new AbortController()
  const abort = () => controller.abort()
  if (signal?.aborted) abort()
  signal?.addEventListener?.('abort', abort)
  cancelToken?.subscribe(abort)
  return {
    signal: controller.signal,
    release() {
      signal?.removeEventListener?.('abort', abort)
      cancelToken?.unsubscribe(abort)
    },
  }
}
