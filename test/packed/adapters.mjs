// Every adapter behind one interface: `create` returns a function that calls the API and returns status, headers and text.
import { createAxios } from '@tokenward/axios'
import { createFetch } from '@tokenward/fetch'
import { createOfetch } from '@tokenward/ofetch'
import { tokenInterceptor } from '@tokenward/undici'

const [major, minor] = process.versions.node.split('.').map(Number)
/** undici 8 needs Node 22.19. Bun replaces the module of that name with one of its own that has no interceptors. */
const hasUndici8 = !process.versions.bun && (major > 22 || (major === 22 && minor >= 19))

function fetchLike(name, create, send = (client, path, init) => client(path, init)) {
  return {
    name,
    perCall: true,
    followsRedirects: true,
    create(tokens, client, options) {
      const made = create(tokens, client, options)
      return async (path, { stream, ...init } = {}) => {
        const body = stream ? { body: new Blob([stream]).stream(), duplex: 'half' } : {}
        const response = await send(made, path, { ...init, ...body })
        return { status: response.status, headers: response.headers, text: await response.text() }
      }
    },
  }
}

function axiosBy(adapter) {
  return {
    name: `axios (${adapter})`,
    perCall: true,
    followsRedirects: true,
    create(tokens, client, options) {
      const made = createAxios(tokens, client, { ...options, adapter, responseType: 'text', validateStatus: null })
      return async (url, { body, stream, ...init } = {}) => {
        const data = stream ? new Blob([stream]).stream() : body
        const sent = stream && adapter === 'http' ? (await import('node:stream')).Readable.fromWeb(data) : data
        const response = await made({ url: String(url), ...init, ...(sent !== undefined && { data: sent }) })
        return { status: response.status, headers: new Headers(response.headers), text: response.data ?? '' }
      }
    },
  }
}

function undiciBy(name, undici) {
  return {
    name,
    perCall: false,
    followsRedirects: false,
    create(tokens, client, options) {
      const dispatcher = new undici.Agent().compose(tokenInterceptor(tokens, client, options))
      return async (path, { stream, body, ...init } = {}) => {
        const url = URL.canParse(path) ? path : new URL(path, options.baseURL)
        const sent = stream ? (await import('node:stream')).Readable.from([stream]) : body
        const response = await undici.request(url, { dispatcher, ...init, ...(sent !== undefined && { body: sent }) })
        const { statusCode: status, headers } = response
        return { status, headers: new Headers(Object.entries(headers)), text: await response.body.text() }
      }
    },
  }
}

export const adapters = [
  fetchLike('fetch', createFetch),
  fetchLike('ofetch', createOfetch, async (client, path, init) => {
    const response = await client.raw(path, { ...init, responseType: 'text', ignoreResponseError: true, retry: 0 })
    return { status: response.status, headers: response.headers, text: async () => response._data ?? '' }
  }),
  axiosBy('http'),
  axiosBy('fetch'),
  undiciBy('undici 7', await import('undici-7')),
  ...(hasUndici8 ? [undiciBy('undici 8', await import('undici'))] : []),
]
