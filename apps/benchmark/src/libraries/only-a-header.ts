import axios from 'axios'
import { ofetch } from 'ofetch'
import { Agent, type Dispatcher, request } from 'undici'
import { everyStatus, fetchWithHeader, getByAxios, read } from './http-clients'
import type { Library, OpenLibrary, OpenOptions } from './library'
import { requestToken } from './request-token'

type Requests = Pick<OpenLibrary, 'request' | 'requestWithHeader'>
type Wrapper = (options: OpenOptions, authorization: string) => Requests

const byFetch: Wrapper = ({ baseURL }, authorization) => {
  const wrapped = (path: string, init: { headers?: Record<string, string> } = {}) =>
    fetch(new URL(path, baseURL), { ...init, headers: { ...init.headers, authorization } })
  return {
    request: async () => read(await wrapped('test')),
    requestWithHeader: fetchWithHeader(`${baseURL}test`),
  }
}

const byOfetch: Wrapper = ({ baseURL }, authorization) => {
  const common = { baseURL, ignoreResponseError: true }
  const wrapped = ofetch.create({
    ...common,
    onRequest: ({ options }) => options.headers.set('authorization', authorization),
  })
  return {
    request: async () => (await wrapped.raw('test')).status,
    requestWithHeader: (fixed) => {
      const plain = ofetch.create({ ...common, headers: { authorization: fixed } })
      return async () => (await plain.raw('test')).status
    },
  }
}

const byAxios: Wrapper = ({ baseURL }, authorization) => {
  const common = { baseURL, adapter: 'http', validateStatus: everyStatus } as const
  const wrapped = axios.create(common)
  const setHeader = (config: Parameters<Parameters<typeof wrapped.interceptors.request.use>[0] & object>[0]) => {
    config.headers.set('Authorization', authorization)
    return config
  }
  wrapped.interceptors.request.use(setHeader, undefined, { synchronous: true })
  return {
    request: () => getByAxios(wrapped),
    requestWithHeader: (fixed) => {
      const plain = axios.create({ ...common, headers: { authorization: fixed } })
      return () => getByAxios(plain)
    },
  }
}

const byUndici: Wrapper = ({ baseURL }, authorization) => {
  const get = async (options: Parameters<typeof request>[1]) => {
    const { statusCode, body } = await request(`${baseURL}test`, options)
    await body.json()
    return statusCode
  }
  const setHeader: Dispatcher.DispatcherComposeInterceptor = (dispatch) => (options, handler) =>
    dispatch({ ...options, headers: { ...(options.headers as Record<string, string>), authorization } }, handler)
  const wrapped = { dispatcher: new Agent().compose(setHeader) }
  return {
    request: () => get(wrapped),
    requestWithHeader: (fixed) => {
      const plain = { dispatcher: new Agent(), headers: { authorization: fixed } }
      return () => get(plain)
    },
  }
}

function onlyAHeader(httpClient: string, use: string, wrapper: Wrapper): Library {
  return {
    id: `only a header (${httpClient})`,
    httpClient,
    use: `no library: ${use} with a token that is requested once`,
    lifetimeFor: Math.ceil,
    async open(options) {
      return wrapper(options, `Bearer ${(await requestToken(options)).access_token}`)
    },
  }
}

/** What the least wrapper of each HTTP client costs: it gets no token, checks no URL, and knows no 401. */
export const onlyAHeaderLibraries: readonly Library[] = [
  onlyAHeader('fetch', 'a function that copies the options and sets the header', byFetch),
  onlyAHeader('ofetch', 'an `onRequest` hook that sets the header', byOfetch),
  onlyAHeader('axios', 'a request interceptor that sets the header', byAxios),
  onlyAHeader('undici', 'an interceptor that copies the options and sets the header', byUndici),
]
