import { request as octokitRequest } from '@octokit/request'
import type { createFetch } from '@tokenward/fetch'
import { GraphQLClient, gql } from 'graphql-request'
import ky from 'ky'
import createClient from 'openapi-fetch'
import { expect, test } from 'vitest'
import { catalogSetup } from './support'

interface Item {
  id: number
  name: string
}

interface Paths {
  '/list': { get: { responses: { 200: { content: { 'application/json': Item[] } } } } }
}

type Library = (api: ReturnType<typeof createFetch>, baseURL: string) => () => Promise<unknown>

const libraries: readonly [name: string, library: Library][] = [
  [
    'ky',
    (api, baseURL) => {
      const client = ky.create({ fetch: api, retry: 0 })
      return () => client.get(`${baseURL}list`).json()
    },
  ],
  [
    'openapi-fetch',
    (api, baseURL) => {
      const client = createClient<Paths>({ baseUrl: baseURL.replace(/\/$/, ''), fetch: api })
      return async () => (await client.GET('/list')).data
    },
  ],
  [
    '@octokit/request',
    (api, baseURL) => {
      const client = octokitRequest.defaults({ baseUrl: baseURL.replace(/\/$/, ''), request: { fetch: api } })
      return async () => (await client('GET /list')).data
    },
  ],
]

test.each(libraries)(
  '%s works with the fetch: a token is attached, cached, and replaced after a 401',
  async (_name, library) => {
    const { catalog, provider, api } = await catalogSetup()
    const list = library(catalog, api.baseURL)
    expect(await list()).toHaveLength(3)
    provider.revokeIssued()
    expect(await list()).toHaveLength(3)
    expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
    expect(provider.tokenRequests).toHaveLength(2)
  },
)

test('graphql-request works with the fetch: its POST is sent whole in the second request', async () => {
  const { catalog, provider, api } = await catalogSetup()
  const client = new GraphQLClient(`${api.baseURL}echo`, { fetch: catalog, errorPolicy: 'all' })
  const query = () => client.rawRequest(gql`{ items { id } }`).catch(() => {})
  await query()
  provider.revokeIssued()
  await query()
  expect(api.requests.map(({ status }) => status)).toEqual([200, 401, 200])
  const bodies = api.requests.map(({ body }) => body.toString())
  expect(new Set(bodies).size).toBe(1)
  expect(bodies[0]).toContain('items { id }')
})
