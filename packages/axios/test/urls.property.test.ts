import { createAxios } from '@tokenward/axios'
import {
  bearerAndDpop,
  clientNames,
  credentials,
  expectTokensAtApiOnly,
  isLocal,
  runs,
  type SentRequest,
  slow,
  startTwoServers,
  urlTexts,
} from '@tokenward/test-support'
import axios from 'axios'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ADAPTERS } from './support'

/** A URL without what axios's http adapter and `getUri` join in different ways: empty parameters. */
function meaning({ url }: SentRequest) {
  const { origin, pathname, searchParams } = new URL(url)
  return [origin, pathname, [...searchParams].filter(([name, value]) => name || value)]
}

describe.each(ADAPTERS)('by the %s adapter', (adapter) => {
  test('a request goes where it was checked to go, and where axios without tokens sends it', slow, async () => {
    const servers = await startTwoServers()
    const tokens = bearerAndDpop()
    const params = fc.option(fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 5 }), { maxKeys: 2 }), {
      nil: undefined,
    })
    const settings = fc.record({
      params,
      allowAbsoluteUrls: fc.boolean(),
      base: fc.constantFrom('', '/base/'),
      maxRedirects: fc.constantFrom(0, 5),
    })
    await fc.assert(
      fc.asyncProperty(urlTexts(servers), settings, clientNames, async (text, { base, ...config }, client) => {
        const own = { ...config, adapter, baseURL: `http://${servers.api}${base}`, proxy: false as const }
        const http = createAxios(tokens, client, own)
        const sent = await servers.during(() => http(text))
        expectTokensAtApiOnly(sent, servers)
        expect(sent.filter(({ server }) => server === 'other')).toEqual([])
        const plain = await servers.during(async () => {
          // Our adapter takes such a text for a URL with the scheme of the base, as the platform does. axios refuses it.
          if (/^[\\/]{2}/.test(text)) throw new Error('no comparison')
          // The http adapter removes white space before it appends the parameters, and `getUri` does not.
          if (config.params && /\s/.test(text)) throw new Error('no comparison')
          // Throws where axios refuses a URL.
          if (isLocal(axios.getUri({ ...own, url: text }))) await axios(text, own)
        })
        const toApi = plain.filter(({ url }) => new URL(url).host === servers.api)
        if (plain.length > 0) expect(sent.map(meaning)).toEqual(toApi.map(meaning))
      }),
      runs(300),
    )
  })

  test('a redirect takes credentials nowhere else', slow, async () => {
    const servers = await startTwoServers()
    const tokens = bearerAndDpop()
    await fc.assert(
      fc.asyncProperty(urlTexts(servers), clientNames, async (location, client) => {
        fc.pre(isLocal(location, `http://${servers.api}`))
        const http = createAxios(tokens, client, { baseURL: `http://${servers.api}`, adapter, proxy: false })
        servers.redirectTo(location)
        const sent = await servers.during(() => http('a', { headers: credentials }))
        expectTokensAtApiOnly(sent, servers)
      }),
      runs(200),
    )
  })
})
