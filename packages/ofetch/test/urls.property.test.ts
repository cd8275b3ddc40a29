import { createOfetch } from '@tokenward/ofetch'
import {
  bearerAndDpop,
  clientNames,
  credentials,
  expectTokensAtApiOnly,
  isLocal,
  runs,
  slow,
  startTwoServers,
  urlTexts,
} from '@tokenward/test-support'
import fc from 'fast-check'
import { ofetch } from 'ofetch'
import { expect, test } from 'vitest'

test('a request goes where it was checked to go, and where ofetch without tokens sends it', slow, async () => {
  const servers = await startTwoServers()
  const tokens = bearerAndDpop()
  const query = fc.option(fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 5 }), { maxKeys: 2 }), {
    nil: undefined,
  })
  await fc.assert(
    fc.asyncProperty(
      urlTexts(servers),
      query,
      clientNames,
      fc.constantFrom('', '/base/'),
      async (text, q, client, base) => {
        const baseURL = `http://${servers.api}${base}`
        const http = createOfetch(tokens, client, { baseURL, retry: false, ...(q && { query: q }) })
        const sent = await servers.during(() => http(text))
        expectTokensAtApiOnly(sent, servers)
        expect(sent.filter(({ server }) => server === 'other')).toEqual([])
        // ofetch takes `http:/host` and `items:all` for whole URLs. All our adapters take them for paths, as axios does.
        if (!isLocal(text, baseURL) || /^[\s\w+.-]{2,}:(?![\\/]{2})|^\w*\s\w*:/.test(text)) return
        const plain = await servers.during(() => ofetch(text, { baseURL, retry: false, ...(q && { query: q }) }))
        const toApi = plain.filter(({ url }) => new URL(url).host === servers.api)
        expect(sent.map(({ url }) => url)).toEqual(toApi.map(({ url }) => url))
      },
    ),
    runs(300),
  )
})

test('a redirect takes credentials nowhere else', slow, async () => {
  const servers = await startTwoServers()
  const tokens = bearerAndDpop()
  await fc.assert(
    fc.asyncProperty(urlTexts(servers), clientNames, async (location, client) => {
      fc.pre(isLocal(location, `http://${servers.api}`))
      const http = createOfetch(tokens, client, { baseURL: `http://${servers.api}`, retry: false })
      servers.redirectTo(location)
      const sent = await servers.during(() => http('a', { headers: credentials }))
      expectTokensAtApiOnly(sent, servers)
    }),
    runs(200),
  )
})
