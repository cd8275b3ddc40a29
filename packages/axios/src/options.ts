import type { AuthorizedCallOptions, AuthorizedClientOptions } from '@tokenward/core'
import type { CreateAxiosDefaults } from 'axios'

declare module 'axios' {
  // What one request may decide otherwise than its client; without effect on an instance that has no tokens attached.
  // biome-ignore lint/suspicious/noExplicitAny: a declaration that is merged has to name its parameters as axios does
  interface AxiosRequestConfig<D = any, P = any> extends AuthorizedCallOptions {}
}

/** Options of {@link attachTokens}. */
export interface AttachTokensOptions extends AuthorizedClientOptions {}

/** Options of {@link createAxios}: all of `axios.create`, and those of tokenward. */
export interface AxiosOptions
  extends Omit<CreateAxiosDefaults, keyof AuthorizedClientOptions>,
    AuthorizedClientOptions {}
