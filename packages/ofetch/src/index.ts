export { createOfetch } from './create-ofetch'
export type { OfetchOptions } from './options'
