import type { BenchmarkName } from '../benchmark-name'

/** A library that gets tokens, and how the benchmark uses it. */
export interface Library {
  /** Its name in the results, and the id of its OAuth client. */
  readonly id: string
  /** The npm package whose version the results name. Undefined: it is no package. */
  readonly packageName?: string
  /** What it sends requests with. Libraries are compared with the adapter of tokenward for the same client, if there is one. */
  readonly httpClient: string
  /** Which of its functions are used, and with which options. */
  readonly use: string
  /** The benchmarks that it cannot take part in, and why. */
  readonly cannot?: Partial<Record<BenchmarkName, string>>
  /** The lifetime that a token needs so that the library renews it after about `seconds`, in whole seconds. */
  lifetimeFor(seconds: number): number
  /** Sets it up, with an empty cache. */
  open(options: OpenOptions): OpenLibrary | Promise<OpenLibrary>
}

export interface OpenOptions {
  readonly clientId: string
  readonly clientSecret: string
  /** The origin of the authorization server. Its token endpoint is `/token`. */
  readonly issuer: string
  /** The URL of the API, with a slash at the end. */
  readonly baseURL: string
  /** A Redis to share tokens over. */
  readonly redisUrl?: string | undefined
}

/** A library that is set up for one client. */
export interface OpenLibrary {
  /** Returns the token: from the cache, or a new one. Undefined: the library only adds it to requests. */
  readonly getToken?: () => Promise<unknown>
  /** Requests `test` of the API with a token, and reads the response. Returns its status. */
  readonly request: () => Promise<number>
  /** Makes the same request by the same HTTP client, with a fixed header in place of the library. */
  readonly requestWithHeader: (authorization: string) => () => Promise<number>
  close?(): Promise<void> | void
}

/** The lifetime for libraries that renew `aheadSeconds` before a token expires. */
export function renewsAhead(aheadSeconds: number): Library['lifetimeFor'] {
  return (seconds) => Math.ceil(seconds) + aheadSeconds
}
