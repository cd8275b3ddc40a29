import type { AxiosInstance, InternalAxiosRequestConfig } from 'axios'

type Intercept = (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig

interface Interceptor {
  fulfilled: Intercept
  rejected: undefined
  synchronous: true
  runWhen: null
}

/** What axios itself calls to collect the interceptors of a request. */
interface Interceptors {
  forEach(visit: (interceptor: Interceptor) => void): void
}

/**
 * Adds a request interceptor that runs after all others. axios runs the one that was added first last, so an interceptor that is
 * added with `use` could not see what earlier ones change: a `config.adapter` that they set would replace ours, and the request
 * would be sent without a token.
 *
 * @returns the function that removes it
 */
export function interceptLast(instance: AxiosInstance, intercept: Intercept): () => void {
  const interceptors = instance.interceptors.request as unknown as Interceptors
  const own: Interceptor = { fulfilled: intercept, rejected: undefined, synchronous: true, runWhen: null }
  const inherited = interceptors.forEach
  let isActive = true
  interceptors.forEach = function forEach(visit) {
    // Each one that axios collects goes to the front of the queue: what it collects first runs last.
    if (isActive) visit(own)
    inherited.call(this, visit)
  }
  return () => {
    isActive = false
  }
}
