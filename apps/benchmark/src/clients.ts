import { createAxios } from '@tokenward/axios'
import type { TokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { createOfetch } from '@tokenward/ofetch'
import { tokenInterceptor } from '@tokenward/undici'
import axios from 'axios'
import { ofetch } from 'ofetch'
import { Agent, request } from 'undici'

type Call = () => Promise<unknown>

/** One HTTP client to measure. `plain` sends a fixed header, `authorized` gets its token from the token manager. */
export interface Comparison {
  readonly name: string
  readonly plain: Call
  readonly authorized: Call
}

/** @param token the access token of the fixed header */
export function comparisons(tokens: TokenManager<'c'>, baseURL: string, token: string): Comparison[] {
  const url = `${baseURL}test`
  const headers = { authorization: `Bearer ${token}` }
  const authorizedFetch = createFetch(tokens, 'c', { baseURL })
  const plainOfetch = ofetch.create({ baseURL, headers })
  const authorizedOfetch = createOfetch(tokens, 'c', { baseURL })
  const dispatcher = new Agent()
  const authorizedDispatcher = new Agent().compose(tokenInterceptor(tokens, 'c', { baseURL }))
  const byAxios = (adapter: 'http' | 'fetch'): Comparison => {
    const plain = axios.create({ baseURL, headers, adapter })
    const authorized = createAxios(tokens, 'c', { baseURL, adapter })
    return { name: `axios (${adapter})`, plain: () => plain.get('/test'), authorized: () => authorized.get('/test') }
  }
  return [
    {
      name: 'fetch',
      plain: async () => (await fetch(url, { headers })).json(),
      authorized: async () => (await authorizedFetch('test')).json(),
    },
    { name: 'ofetch', plain: () => plainOfetch('/test'), authorized: () => authorizedOfetch('/test') },
    byAxios('http'),
    byAxios('fetch'),
    {
      name: 'undici',
      plain: async () => (await request(url, { dispatcher, headers })).body.json(),
      authorized: async () => (await request(url, { dispatcher: authorizedDispatcher })).body.json(),
    },
  ]
}
