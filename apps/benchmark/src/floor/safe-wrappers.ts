import axios, { AxiosHeaders } from 'axios'
import { ofetch } from 'ofetch'
import { Agent, type Dispatcher, request } from 'undici'
import { everyStatus, getByAxios, read } from '../libraries/http-clients'

type Send = () => Promise<number>

/** The least wrapper that is safe to use: it checks where the token goes, leaves the caller's objects alone, and sees a 401. */
export const safeWrappers: Readonly<Record<string, (baseURL: string, authorization: string) => Send>> = {
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
