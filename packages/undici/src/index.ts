export { type TokenInterceptorOptions, tokenInterceptor } from './token-interceptor'
