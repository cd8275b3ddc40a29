import axios, { AxiosHeaders } from 'axios'
import { ofetch } from 'ofetch'
import { Agent, type Dispatcher, request } from 'undici'
import { everyStatus, getByAxios, read } from './http-clients'
import type { Library } from './library'
import { onlyAHeaderLibraries } from './only-a-header'
import { requestToken } from './request-token'

type Send = () => Promise<number>

const wrappers: Readonly<Record<string, (baseURL: string, authorization: string) => Send>> = {
  fetch(baseURL, authorization) {
    const wrapped = safeFetch(baseURL, authorization)
    return async () => read(await wrapped('test'))
  },

  ofetch(baseURL, authorization) {
    const wrapped = ofetch.create({ baseURL, ignoreResponseError: true }, { fetch: safeFetch(baseURL, authorization) })
    return async () => (await wrapped.raw('test')).status
  },

  axios(baseURL, authorization) {
    const { origin } = new URL(baseURL)
    const send = axios.getAdapter('http')
    const wrapped = axios.create({
      baseURL,
      validateStatus: everyStatus,
      async adapter(config) {
        const url = checked(axios.getUri(config), origin)
        const headers = new AxiosHeaders(config.headers).set('Authorization', authorization)
        const response = await send({ ...config, url: url.href, headers })
        headers.set('Authorization', '[redacted]')
        refuse401(response.status)
        return response
      },
    })
    return () => getByAxios(wrapped)
  },

  undici(baseURL, authorization) {
    const { origin } = new URL(baseURL)
    const setHeader: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) => {
      const url = checked(`${options.origin}${options.path}`, origin)
      const headers = { ...(options.headers as Record<string, string>), authorization }
      return dispatch({ ...options, path: url.pathname + url.search, headers }, handler)
    }
    const dispatcher = new Agent().compose(setHeader)
    return async () => {
      const { statusCode, body } = await request(`${baseURL}test`, { dispatcher })
      await body.json()
      refuse401(statusCode)
      return statusCode
    }
  },
}

function safeFetch(baseURL: string, authorization: string): typeof fetch {
  const { origin } = new URL(baseURL)
  return async (input, init) => {
    const url = checked(new URL(String(input), baseURL).href, origin)
    const headers = new Headers(init?.headers)
    headers.set('authorization', authorization)
    const response = await fetch(url.href, { ...init, headers })
    refuse401(response.status)
    return response
  }
}

function checked(input: string, origin: string): URL {
  const url = new URL(input)
  if (url.origin !== origin) throw new Error('no token may go there')
  return url
}

function refuse401(status: number): void {
  if (status === 401) throw new Error('the token was rejected')
}

/** The least wrappers that are safe to use: they check where the token goes, leave the caller's objects alone, and see a 401. */
export const safeLibraries: readonly Library[] = onlyAHeaderLibraries.flatMap((least) => {
  const wrapper = wrappers[least.httpClient]
  if (!wrapper) return []
  const safe: Library = {
    ...least,
    id: `safe (${least.httpClient})`,
    async open(options) {
      const { requestWithHeader } = await least.open(options)
      const { access_token } = await requestToken(options)
      return { request: wrapper(options.baseURL, `Bearer ${access_token}`), requestWithHeader }
    },
  }
  return [safe]
})
