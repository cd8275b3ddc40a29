import type { AxiosInstance, InternalAxiosRequestConfig } from 'axios'

/** @param isAlone whether no other interceptor runs in the call, and so nobody else can have its config */
export type Intercept = (config: InternalAxiosRequestConfig, isAlone: boolean) => InternalAxiosRequestConfig

interface Interceptor {
  fulfilled(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig
  rejected: undefined
  synchronous: true
  runWhen(config: InternalAxiosRequestConfig): boolean
}

/** What axios itself calls to collect the interceptors of a request. */
interface Interceptors {
  forEach(visit: (interceptor: Interceptor) => void): void
}

/**
 * Adds a request interceptor that runs twice: before all others and after them. One that is added with `use` runs somewhere between
 * the others, and does not see what those after it change. Neither does it run when axios recovers from an interceptor that throws.
 *
 * @param atCall is called at the moment of the call, before axios waits for interceptors
 * @param create makes the interceptor of one request
 * @returns the function that removes it
 */
export function interceptAround(
  instance: AxiosInstance,
  atCall: (config: InternalAxiosRequestConfig) => void,
  create: () => Intercept,
): () => void {
  const interceptors = instance.interceptors.request as unknown as Interceptors
  const inherited = interceptors.forEach
  let isActive = true
  interceptors.forEach = function forEach(visit) {
    if (!isActive) return inherited.call(this, visit)
    let isCalled = false
    let hasOthers = false
    const intercept = create()
    const own: Interceptor = {
      fulfilled: (config) => intercept(config, !hasOthers),
      rejected: undefined,
      synchronous: true,
      // axios asks this while it collects the interceptors.
      runWhen(config) {
        if (!isCalled) atCall(config)
        isCalled = true
        return true
      },
    }
    // axios runs them in the order in which it collects them, or in the reverse order (`legacyInterceptorReqResOrdering`).
    visit(own)
    inherited.call(this, (interceptor) => {
      hasOthers = true
      visit(interceptor)
    })
    // Without others, nothing has changed since it ran before them.
    if (hasOthers) visit(own)
  }
  return () => {
    isActive = false
  }
}
