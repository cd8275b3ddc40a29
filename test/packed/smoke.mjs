// Uses the packed packages as a user would. Runs in the folder that install.mjs fills, on any supported Node.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTokenCredential } from '@tokenward/azure'
import { check } from '@tokenward/cli'
import { createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { createGrpcOptions } from '@tokenward/grpc'
import { azureManagedIdentityToken, commandToken, fileToken, spiffeToken } from '@tokenward/identity'
import { createMcpAuth } from '@tokenward/mcp'
import { TokenwardModule } from '@tokenward/nestjs'
import { instrument } from '@tokenward/opentelemetry'
import { encryptedStore } from '@tokenward/store-encrypted'
import { keyvStore } from '@tokenward/store-keyv'
import { memoryStore } from '@tokenward/store-memory'
import { redisStore } from '@tokenward/store-redis'
import { storeConformance } from '@tokenward/store-testkit'
import { unstorageStore } from '@tokenward/store-unstorage'
import { createTestTokens } from '@tokenward/testing'

const require = createRequire(import.meta.url)
assert.equal(require('@tokenward/core').createTokenManager, createTokenManager, 'require() returns the same module')

// A small server, because the real authorization server needs a newer Node than the packages do.
let tokenRequests = 0
const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const platformToken = `${part({ alg: 'ES256' })}.${part({ exp: Math.floor(Date.now() / 1_000) + 300 })}.c2ln`
const seen = []
const server = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  if (request.url === '/token') {
    const token = { access_token: `token-${++tokenRequests}`, token_type: 'Bearer', expires_in: 3600 }
    response.end(JSON.stringify(token))
    return
  }
  if (request.url.startsWith('/msi')) {
    response.end(JSON.stringify({ access_token: platformToken, token_type: 'Bearer' }))
    return
  }
  seen.push(request.headers.authorization)
  response.statusCode = request.headers.authorization === 'Bearer token-1' && seen.length > 1 ? 401 : 200
  response.end('{}')
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const origin = `http://127.0.0.1:${server.address().port}`
const tokens = createTokenManager({
  clients: { c: { tokenEndpoint: `${origin}/token`, clientId: 'id', clientSecret: 'secret' } },
})
const api = createFetch(tokens, 'c', { baseURL: `${origin}/api` })
const statuses = []
for (let call = 0; call < 3; call++) {
  const response = await api('test')
  await response.text()
  statuses.push(response.status)
}
assert.deepEqual(statuses, [200, 200, 200])
assert.deepEqual(seen, ['Bearer token-1', 'Bearer token-1', 'Bearer token-2', 'Bearer token-2'])
assert.equal(tokenRequests, 2)
const { fetch: mcpFetch, authProvider } = createMcpAuth(tokens, 'c', { serverUrl: `${origin}/mcp` })
assert.equal(await authProvider.token(), undefined)
assert.equal((await mcpFetch(`${origin}/mcp`)).status, 200)
// It is for the MCP server only.
assert.equal(seen.at(-1), 'Bearer token-3')
assert.equal((await createTokenCredential(tokens, 'c').getToken('s')).tokenType, 'Bearer')
assert.equal(TokenwardModule.forRoot({ tokens }).global, true)
assert.equal(createGrpcOptions(tokens, 'c').interceptors.length, 1)

// Without an SDK, nothing is recorded, and the API of OpenTelemetry is enough.
const stop = instrument(tokens)
await tokens.getAccessToken('c')
assert.throws(() => instrument(tokens), { code: 'invalid_configuration' })
stop()

const key = crypto.getRandomValues(new Uint8Array(32))
const encrypted = encryptedStore(memoryStore(), { keys: [key] })
await encrypted.set('a', 'value', 60_000)
assert.equal(await encrypted.get('a'), 'value')
// Their own tests cover how they work. This checks that they load and refuse a wrong argument.
for (const create of [redisStore, keyvStore, unstorageStore, storeConformance])
  assert.throws(() => create({}), TypeError)

const testTokens = createTestTokens({ clients: { c: { lifetimeMs: 60_000 } } })
assert.equal((await testTokens.getAccessToken('c')).value, 'c-token-1')
await testTokens.clock.advance(60_000)
assert.equal((await testTokens.getAccessToken('c')).value, 'c-token-2')

// Platforms: an endpoint of the machine, a file, a command, and the HTTP/2 client.
const env = { ...process.env, IDENTITY_ENDPOINT: `${origin}/msi`, IDENTITY_HEADER: 'header' }
const context = { audience: 'https://as.example' }
assert.equal(await azureManagedIdentityToken({ env })(context), platformToken)
const folder = mkdtempSync(join(tmpdir(), 'tokenward-smoke-'))
writeFileSync(join(folder, 'token'), `${platformToken}\n`)
assert.equal(await fileToken(join(folder, 'token'))(context), platformToken)
rmSync(folder, { recursive: true })
await assert.rejects(commandToken('no-such-command-of-tokenward')(context), { reason: 'not_available' })
await assert.rejects(spiffeToken({ socket: `unix://${folder}/agent.sock` })(context), { code: 'identity_unavailable' })

const report = await check({
  tokenEndpoint: `${origin}/token`,
  clientId: 'id',
  clientSecret: 'secret',
  api: `${origin}/api`,
})
assert.deepEqual(
  report.steps.map(({ step, status }) => `${step} ${status}`),
  ['definition ok', 'connection ok', 'authentication ok', 'token ok', 'api ok'],
)

server.close()
// The manager is not closed: an open manager must not keep the process alive.
server.closeAllConnections()
console.log(`ok on ${process.version}`)
