import { createFetch } from '@tokenward/fetch'
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
import { expect, test } from 'vitest'

/** What makes a text a URL of its own, and not a path: it is the same in ofetch and axios. */
const hasScheme = (text: string) => /^[a-z][a-z\d+\-.]*:[\\/]{2}/i.test(text)

test('a request goes where it was checked to go, and nowhere else', slow, async () => {
  const servers = await startTwoServers()
  const tokens = bearerAndDpop()
  await fc.assert(
    fc.asyncProperty(
      urlTexts(servers),
      clientNames,
      fc.constantFrom('', '/base', '/base/'),
      async (text, client, base) => {
        const http = createFetch(tokens, client, { baseURL: `http://${servers.api}${base}` })
        const sent = await servers.during(() => http(text))
        expectTokensAtApiOnly(sent, servers)
        expect(sent.filter(({ server }) => server === 'other')).toEqual([])
        if (!hasScheme(text) || !isLocal(text)) return
        // The platform sends the same, as far as it goes to the API.
        const plain = await servers.during(() => fetch(text))
        const toApi = plain.filter(({ url }) => new URL(url).host === servers.api)
        expect(sent.map(({ url }) => url)).toEqual(toApi.map(({ url }) => url))
      },
    ),
    runs(400),
  )
})

test('a redirect takes credentials nowhere else', slow, async () => {
  const servers = await startTwoServers()
  const tokens = bearerAndDpop()
  await fc.assert(
    fc.asyncProperty(urlTexts(servers), clientNames, async (location, client) => {
      fc.pre(isLocal(location, `http://${servers.api}`))
      const http = createFetch(tokens, client, { baseURL: `http://${servers.api}` })
      servers.redirectTo(location)
      const sent = await servers.during(() => http('a', { headers: credentials }))
      expectTokensAtApiOnly(sent, servers)
    }),
    runs(300),
  )
})
