import type { RequestListener } from 'node:http'
import { ApolloClient, gql, HttpLink, InMemoryCache } from '@apollo/client/core'
import { create, createFileRegistry } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema, file_google_protobuf_wrappers } from '@bufbuild/protobuf/wkt'
import { createClient as createConnectClient } from '@connectrpc/connect'
import { connectNodeAdapter } from '@connectrpc/connect-node'
import { createConnectTransport } from '@connectrpc/connect-web'
import { type ClientDefinition, type Clock, createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import type { IdentityProvider } from '@tokenward/identity-provider'
import { definitionsFor, SkippableClock, serve, startProvider } from '@tokenward/test-support'
import { createTRPCClient, httpBatchLink, httpBatchStreamLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import { Client, fetchExchange } from '@urql/core'
import { createSchema, createYoga } from 'graphql-yoga'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { expect, onTestFinished, test } from 'vitest'

interface Library {
  readonly name: string
  /** The server of the library's ecosystem. */
  readonly server: RequestListener
  /** Calls its procedure `hello` with a name, and resolves to the greeting. */
  client(url: string, fetch: ReturnType<typeof createFetch>): (name: string) => Promise<unknown>
}

const greeting = (name: string) => `Hello ${name}`

const yoga = createYoga({
  logging: false,
  schema: createSchema({
    typeDefs: 'type Query { hello(name: String!): String! } type Mutation { hello(name: String!): String! }',
    resolvers: {
      Query: { hello: (_root, { name }: { name: string }) => greeting(name) },
      Mutation: { hello: (_root, { name }: { name: string }) => greeting(name) },
    },
  }),
})

const { router, procedure } = initTRPC.create()
const name = (input: unknown) => String(input)
const appRouter = router({
  hello: procedure.input(name).query(({ input }) => greeting(input)),
  greet: procedure.input(name).mutation(({ input }) => greeting(input)),
})
const trpc = createHTTPHandler({ router: appRouter })

/** What the compiler of Protocol Buffers makes of a file with this service. */
const files = createFileRegistry(
  create(FileDescriptorProtoSchema, {
    name: 'greeter.proto',
    package: 'test',
    syntax: 'proto3',
    dependency: ['google/protobuf/wrappers.proto'],
    service: [
      {
        name: 'Greeter',
        method: [
          {
            name: 'Hello',
            inputType: '.google.protobuf.StringValue',
            outputType: '.google.protobuf.StringValue',
          },
          {
            name: 'HelloTwice',
            inputType: '.google.protobuf.StringValue',
            outputType: '.google.protobuf.StringValue',
            serverStreaming: true,
          },
        ],
      },
    ],
  }),
  () => file_google_protobuf_wrappers.proto,
)
const greeter = files.getService('test.Greeter')
if (!greeter) throw new Error('no service')
type Message = { value: string }
const connect = connectNodeAdapter({
  routes: (connectRouter) =>
    connectRouter.service(greeter, {
      hello: ({ value }: Message) => ({ value: greeting(value) }),
      async *helloTwice({ value }: Message) {
        yield { value: greeting(value) }
        yield { value: greeting(value) }
      },
    } as never),
})
type Greeter = {
  hello(message: Message): Promise<Message>
  helloTwice(message: Message): AsyncIterable<Message>
}

const QUERY = gql`query ($name: String!) { hello(name: $name) }`
const MUTATION = gql`mutation ($name: String!) { hello(name: $name) }`
type Hello = { hello: string }

const apollo = (url: string, fetch: ReturnType<typeof createFetch>) =>
  new ApolloClient({ link: new HttpLink({ uri: url, fetch }), cache: new InMemoryCache() })
const urql = (url: string, fetch: ReturnType<typeof createFetch>) =>
  new Client({ url, fetch, exchanges: [fetchExchange], preferGetMethod: false })

const libraries: readonly Library[] = [
  {
    name: 'Apollo Client, a query',
    server: yoga,
    client(url, fetch) {
      const client = apollo(url, fetch)
      return async (name) =>
        (await client.query<Hello>({ query: QUERY, variables: { name }, fetchPolicy: 'no-cache' })).data?.hello
    },
  },
  {
    name: 'Apollo Client, a mutation',
    server: yoga,
    client(url, fetch) {
      const client = apollo(url, fetch)
      return async (name) => (await client.mutate<Hello>({ mutation: MUTATION, variables: { name } })).data?.hello
    },
  },
  {
    name: 'urql, a query',
    server: yoga,
    client(url, fetch) {
      const client = urql(url, fetch)
      return async (name) => (await client.query<Hello>(QUERY, { name }).toPromise()).data?.hello
    },
  },
  {
    name: 'urql, a mutation',
    server: yoga,
    client(url, fetch) {
      const client = urql(url, fetch)
      return async (name) => (await client.mutation<Hello>(MUTATION, { name }).toPromise()).data?.hello
    },
  },
  {
    name: 'tRPC, a query',
    server: trpc,
    client(url, fetch) {
      const client = createTRPCClient<typeof appRouter>({ links: [httpBatchLink({ url, fetch })] })
      return (name) => client.hello.query(name)
    },
  },
  {
    name: 'tRPC, a mutation',
    server: trpc,
    client(url, fetch) {
      const client = createTRPCClient<typeof appRouter>({ links: [httpBatchLink({ url, fetch })] })
      return (name) => client.greet.mutate(name)
    },
  },
  {
    name: 'tRPC, a stream of two results',
    server: trpc,
    client(url, fetch) {
      const client = createTRPCClient<typeof appRouter>({ links: [httpBatchStreamLink({ url, fetch })] })
      return async (name) => {
        const [first, second] = await Promise.all([client.hello.query(name), client.hello.query(name)])
        return first === second ? first : undefined
      }
    },
  },
  {
    name: 'Connect, a call',
    server: connect,
    client(baseUrl, fetch) {
      const client = createConnectClient(greeter, createConnectTransport({ baseUrl, fetch })) as unknown as Greeter
      return async (name) => (await client.hello({ value: name })).value
    },
  },
  {
    name: 'Connect, a stream',
    server: connect,
    client(baseUrl, fetch) {
      const client = createConnectClient(greeter, createConnectTransport({ baseUrl, fetch })) as unknown as Greeter
      return async (name) => {
        const values: string[] = []
        for await (const { value } of client.helloTwice({ value: name })) values.push(value)
        return values.length === 2 ? values[1] : undefined
      }
    },
  },
]

function tokensFor(definition: ClientDefinition, clock?: Clock) {
  const tokens = createTokenManager({ clients: { c: definition }, clock })
  onTestFinished(() => tokens.close())
  return tokens
}

interface Served {
  readonly url: string
  /** The status of each response, and the token's id. */
  readonly responses: { status: number; tokenId: string | undefined; path: string }[]
}

/** Serves `listener` behind a check of the token, as an API does it: signature, issuer, audience and whether it was revoked. */
async function protectedServer(provider: IdentityProvider, listener: RequestListener): Promise<Served> {
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))
  const responses: Served['responses'] = []
  const url = await serve(async (request, response) => {
    const recorded: Served['responses'][number] = { status: 0, tokenId: undefined, path: request.url ?? '' }
    responses.push(recorded)
    response.on('finish', () => {
      recorded.status = response.statusCode
    })
    const [, token = ''] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? []
    try {
      const { payload } = await jwtVerify(token, keys, { issuer: provider.issuer, audience: 'urn:catalog' })
      recorded.tokenId = payload.jti
      if (provider.issuedToken(String(payload.jti))?.revokedAt !== undefined) throw new Error('revoked')
    } catch {
      response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
      return
    }
    listener(request, response)
  })
  return { url, responses }
}

test.each(libraries)(
  '$name: one argument, and a token is attached, replaced after a revocation, and renewed when it has expired',
  async ({ server, client }) => {
    const provider = await startProvider()
    const clock = new SkippableClock()
    const definition = { ...definitionsFor(provider)['catalog.client'], fetch: clock.fetch }
    const tokens = tokensFor(definition, clock)
    const { url, responses } = await protectedServer(provider, server)
    const path = server === yoga ? '/graphql' : ''
    const hello = client(`${url}${path}`, createFetch(tokens, 'c', { allowedOrigins: [url] }))

    expect(await hello('Ada')).toBe('Hello Ada')
    expect(await hello('Bob')).toBe('Hello Bob')
    provider.revokeIssued()
    expect(await hello('Cy')).toBe('Hello Cy')
    clock.skip(3_601_000)
    expect(await hello('Dee')).toBe('Hello Dee')

    expect(responses.map(({ status }) => status)).toEqual([200, 200, 401, 200, 200])
    expect(provider.tokenRequests).toHaveLength(3)
    const [first, , , second, third] = responses.map(({ tokenId }) => tokenId)
    expect(new Set([first, second, third]).size).toBe(3)
    // The second request after the 401 is the same request.
    expect(responses[3]?.path).toBe(responses[2]?.path)
  },
)

test('without a token, the library reports the TokenRequestError, and the server gets no request', async () => {
  const provider = await startProvider()
  const tokens = tokensFor({ ...definitionsFor(provider)['catalog.client'], clientSecret: 'wrong' })
  for (const { server, client } of libraries) {
    const { url, responses } = await protectedServer(provider, server)
    const hello = client(url, createFetch(tokens, 'c', { allowedOrigins: [url] }))
    const result = await hello('Ada').catch((error) => error)
    if (result !== undefined) expect(String(result)).toContain('invalid_client')
    expect(responses).toEqual([])
  }
})
