// What must work on every runtime, with web-standard APIs only. The transport is a function, because a worker or an edge function has
// no server of its own to call. smoke.mjs and contract.mjs use real servers.
import { createTokenManager, OriginNotAllowedError, TokenRequestError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { githubActionsToken, IdentityError } from '@tokenward/identity'
import { createMcpAuth } from '@tokenward/mcp'
import { createOfetch } from '@tokenward/ofetch'
import { encryptedStore } from '@tokenward/store-encrypted'
import { memoryStore } from '@tokenward/store-memory'
import { unstorageStore } from '@tokenward/store-unstorage'
import { createTestTokens } from '@tokenward/testing'
import { createStorage } from 'unstorage'

const TOKEN_URL = 'https://as.example/token'
const baseURL = 'https://api.example/v1'

function check(condition, what) {
  if (!condition) throw new Error(`not so: ${what}`)
}

/** An authorization server and an API. */
function world() {
  const tokenRequests = []
  const apiRequests = []
  const revoked = new Set()
  return {
    tokenRequests,
    apiRequests,
    revoked,
    async fetch(input, init) {
      const request = new Request(input, init)
      if (request.url === TOKEN_URL) {
        tokenRequests.push({ body: await request.text(), authorization: request.headers.get('authorization') })
        const type = request.headers.get('dpop') ? 'DPoP' : 'Bearer'
        return Response.json({ access_token: `t${tokenRequests.length}`, token_type: type, expires_in: 3_600 })
      }
      const [type, value] = (request.headers.get('authorization') ?? '').split(' ')
      const proof = request.headers.get('dpop')
      apiRequests.push({ url: request.url, type, value, proof, body: await request.text() })
      return revoked.has(value) ? new Response(null, { status: 401 }) : Response.json([1, 2])
    },
  }
}

function start(store, dpop = false) {
  const { fetch, ...seen } = world()
  const definition = { tokenEndpoint: TOKEN_URL, clientId: 'id', clientSecret: 'secret', scope: 'read', dpop, fetch }
  return { ...seen, fetch, tokens: createTokenManager({ clients: { c: definition }, store, storeTimeoutMs: 5_000 }) }
}

async function tokensAreAttachedCachedAndReplaced() {
  const { tokens, fetch, tokenRequests, apiRequests, revoked } = start()
  const api = createFetch(tokens, 'c', { baseURL, fetch })
  const responses = await Promise.all([api('list'), api('/list'), api(new URL(`${baseURL}/list`))])
  check(
    responses.every(({ status }) => status === 200) && tokenRequests.length === 1,
    'one token serves concurrent calls',
  )
  check(tokenRequests[0].authorization === `Basic ${btoa('id:secret')}`, 'the client authenticates')
  check(tokenRequests[0].body.includes('grant_type=client_credentials'), 'the grant is client credentials')
  revoked.add('t1')
  const response = await api('create', { method: 'POST', body: 'x' })
  const last = apiRequests.at(-1)
  check(response.status === 200 && last.value === 't2' && last.body === 'x', 'a rejected token is replaced')
  const refused = await api('https://elsewhere.example/').catch((error) => error)
  check(refused instanceof OriginNotAllowedError, 'tokens go to the allowed origin only')
  const ofetch = createOfetch(tokens, 'c', { baseURL, fetch, retry: 0 })
  check((await ofetch('list')).length === 2, 'ofetch parses the response')
  await tokens.close()
}

async function mcpRequestsHaveTokens() {
  const { tokens, fetch, tokenRequests, apiRequests } = start()
  const serverUrl = 'https://mcp.example/mcp'
  const mcp = createMcpAuth(tokens, 'c', { serverUrl, fetch })
  const response = await mcp.fetch(new URL(serverUrl), { method: 'POST', body: '{}' })
  check(response.status === 200 && apiRequests[0].value === 't1', 'a request to an MCP server has a token')
  check(new URLSearchParams(tokenRequests[0].body).get('resource') === serverUrl, 'the token is for the MCP server')
  await tokens.close()
}

async function proofsAreMade() {
  const { tokens, fetch, apiRequests } = start(undefined, true)
  await createFetch(tokens, 'c', { baseURL, fetch })('list')
  const [{ type, proof }] = apiRequests
  check(type === 'DPoP' && proof.split('.').length === 3, 'a DPoP request has a proof')
  await tokens.close()
}

async function storesShare() {
  const key = crypto.getRandomValues(new Uint8Array(32))
  for (const store of [memoryStore(), encryptedStore(unstorageStore(createStorage()), { keys: [key] })]) {
    const one = start(store)
    const { value } = await one.tokens.getAccessToken('c')
    // Nobody waits for the write, and close does.
    await one.tokens.close()
    const two = start(store)
    check((await two.tokens.getAccessToken('c')).value === value, 'the second manager finds the token')
    check(two.tokenRequests.length === 0, 'the second manager requests no token')
    await two.tokens.close()
  }
}

async function platformsSayWhoItIs() {
  const { fetch, tokenRequests } = world()
  const part = (value) => btoa(JSON.stringify(value)).replaceAll('=', '')
  const value = `${part({ alg: 'ES256' })}.${part({ exp: Math.floor(Date.now() / 1_000) + 300 })}.c2ln`
  const platform = async () => Response.json({ value })
  const env = { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://github.example/token', ACTIONS_ID_TOKEN_REQUEST_TOKEN: 't' }
  const definition = { tokenEndpoint: TOKEN_URL, clientId: 'id', fetch }
  const tokens = createTokenManager({
    clients: {
      here: { ...definition, clientAssertion: githubActionsToken({ env, fetch: platform }) },
      elsewhere: { ...definition, clientAssertion: githubActionsToken({ env: {} }) },
    },
  })
  await tokens.getAccessToken('here')
  check(
    tokenRequests[0].body.includes(`client_assertion=${value}`),
    'the token of the platform is the client assertion',
  )
  const error = await tokens.getAccessToken('elsewhere').catch((reason) => reason)
  check(
    error.cause instanceof IdentityError && error.message.includes('is not set'),
    'off the platform, an error says so',
  )
  await tokens.close()
}

async function testTokensWork() {
  const tokens = createTestTokens({ clients: { c: { lifetimeMs: 60_000 } } })
  check((await tokens.getAccessToken('c')).value === 'c-token-1', 'the first test token')
  await tokens.clock.advance(60_000)
  check((await tokens.getAccessToken('c')).value === 'c-token-2', 'the second test token')
  await tokens.clear()
  tokens.failNext('c', 'invalid_client')
  const error = await tokens.getAccessToken('c').catch((reason) => reason)
  check(error instanceof TokenRequestError && error.error === 'invalid_client', 'a scripted failure')
}

/** Resolves to `ok`, or rejects with what is not so. */
export async function run() {
  await tokensAreAttachedCachedAndReplaced()
  await mcpRequestsHaveTokens()
  await proofsAreMade()
  await storesShare()
  await platformsSayWhoItIs()
  await testTokensWork()
  return 'ok'
}
