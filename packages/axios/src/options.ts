import type { AuthorizedCallOptions, AuthorizedClientOptions } from '@tokenward/core'
import type { CreateAxiosDefaults } from 'axios'

declare module 'axios' {
  // Options of one request. They have no effect on an instance without tokens.
  // biome-ignore lint/suspicious/noExplicitAny: a declaration that is merged has to name its parameters as axios does
  interface AxiosRequestConfig<D = any, P = any> extends AuthorizedCallOptions {}
}

/** Options of {@link attachTokens}. */
export interface AttachTokensOptions extends AuthorizedClientOptions {}

/** Options of {@link createAxios}: all of `axios.create`, and those of tokenward. */
export interface AxiosOptions
  extends Omit<CreateAxiosDefaults, keyof AuthorizedClientOptions>,
    AuthorizedClientOptions {}
