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
import { tokenInterceptor } from '@tokenward/undici'
import fc from 'fast-check'
import { Agent, Client, interceptors } from 'undici'
import { expect, onTestFinished, test } from 'vitest'

const dictionary = fc.dictionary(fc.string({ maxLength: 3 }), fc.string({ maxLength: 5 }), { maxKeys: 2 })

test.each(['an Agent', 'a Client'])(
  'a request by %s goes where it was checked to go, as it does without tokens',
  slow,
  async (by) => {
    const servers = await startTwoServers()
    const tokens = bearerAndDpop()
    const [api, other] = [`http://${servers.api}`, `http://${servers.other}`]
    const start = (origin: string) => {
      const dispatcher = by === 'an Agent' ? new Agent() : new Client(origin)
      onTestFinished(() => dispatcher.destroy())
      return dispatcher
    }
    const dispatchers = { [api]: start(api), [other]: start(other) }
    const request = fc.record({
      connectTo: fc.constantFrom(api, other),
      origin: fc.constantFrom(api, other, `${api}/`, `${other}/`),
      path: fc.oneof(
        urlTexts(servers),
        urlTexts(servers).map((text) => `/${text}`),
      ),
      query: fc.option(dictionary, { nil: undefined }),
    })
    await fc.assert(
      fc.asyncProperty(request, clientNames, async ({ connectTo, ...options }, client) => {
        const dispatcher = dispatchers[connectTo] as Agent
        const withTokens = dispatcher.compose(tokenInterceptor(tokens, client, { baseURL: api }))
        const send = async (by: Agent | ReturnType<typeof dispatcher.compose>) => {
          const { body } = await by.request({ ...options, method: 'GET' } as never)
          await body.dump()
        }
        const sent = await servers.during(() => send(withTokens))
        expectTokensAtApiOnly(sent, servers)
        expect(sent.filter(({ server }) => server === 'other')).toEqual([])
        if (!options.path.startsWith('/')) return
        const plain = await servers.during(() => send(dispatcher))
        const toApi = plain.filter(({ server }) => server === 'api')
        // undici sends what is in the path as it is, and we send what the parser makes of it.
        const parsed = toApi.map(({ url }) => new URL(url.replace(/#.*/, '')).href)
        if (sent.length > 0 && parsed.length > 0) expect(sent.map(({ url }) => url)).toEqual(parsed)
      }),
      runs(300),
    )
  },
)

test('a redirect that undici follows takes credentials nowhere else', slow, async () => {
  const servers = await startTwoServers()
  const tokens = bearerAndDpop()
  const agent = new Agent()
  onTestFinished(() => agent.destroy())
  await fc.assert(
    fc.asyncProperty(urlTexts(servers), clientNames, fc.boolean(), async (location, client, above) => {
      fc.pre(isLocal(location, `http://${servers.api}`))
      const ours = tokenInterceptor(tokens, client, { baseURL: `http://${servers.api}` })
      const redirects = interceptors.redirect({ maxRedirections: 5 })
      const dispatcher = above ? agent.compose(ours, redirects) : agent.compose(redirects, ours)
      servers.redirectTo(location)
      const sent = await servers.during(async () => {
        const options = { origin: `http://${servers.api}`, path: '/a', method: 'GET', headers: credentials } as const
        const { body } = await dispatcher.request(options)
        await body.dump()
      })
      expectTokensAtApiOnly(sent, servers)
    }),
    runs(200),
  )
})
