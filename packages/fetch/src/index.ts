export { type AuthorizedFetch, type AuthorizedRequestInit, createFetch, type FetchOptions } from './authorized-fetch'
