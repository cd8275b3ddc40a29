export { attachTokens, createAxios } from './attach-tokens'
export type { AttachTokensOptions, AxiosOptions } from './options'
