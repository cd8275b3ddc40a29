export { type AuthorizedFetch, createFetch } from './authorized-fetch'
export type { AuthorizedRequestInit, FetchOptions } from './options'
