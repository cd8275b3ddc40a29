import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type ClientDefinition, createTokenManager, TokenRequestError, TokenwardError } from '@tokenward/core'
import { startProvider } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { retryAfterMs } from '../src/internal/endpoint/retry-after'
import { definition } from './support'

async function errorOf(change: Partial<ClientDefinition>, base: Partial<ClientDefinition> = definition) {
  const tokens = createTokenManager({ clients: { c: { ...base, ...change } as ClientDefinition }, random: () => 0 })
  const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
  expect(error).toBeInstanceOf(TokenRequestError)
  return error as TokenRequestError
}

const byIssuer = { clientId: 'id', clientSecret: 'a-secret' }
const nowhere = async () => new Response('<p>not here', { status: 404, headers: { 'content-type': 'text/html' } })

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

test('a connection that is refused: the message has the URL without its query, and the step', async () => {
  const origin = `http://127.0.0.1:${await closedPort()}`
  const token = await errorOf({ tokenEndpoint: `${origin}/token?key=hidden` })
  expect(token).toMatchObject({ error: 'network_error', step: 'token_request', url: `${origin}/token` })
  expect(token.message).toBe(
    `no access token for client 'c': network_error (ECONNREFUSED); token request: ${origin}/token`,
  )
  const discovery = await errorOf({ issuer: origin }, byIssuer)
  expect(discovery.message).toBe(
    `no access token for client 'c': network_error (ECONNREFUSED); discovery: ${origin}/.well-known/openid-configuration`,
  )
})

test('404: a wrong issuer and a wrong token endpoint differ', async () => {
  const token = await errorOf({ fetch: nowhere })
  expect(token).toMatchObject({ status: 404, step: 'token_request', url: 'https://as.example/token' })
  const discovery = await errorOf({ issuer: 'https://as.example/wrong', fetch: nowhere }, byIssuer)
  expect(discovery).toMatchObject({ status: 404, step: 'discovery', retryable: false })
  expect(discovery.message).toContain('https://as.example/wrong/.well-known/openid-configuration')
  expect(discovery.message).toContain('https://as.example/.well-known/oauth-authorization-server/wrong')
})

test('an issuer mismatch names both issuers', async () => {
  const provider = await startProvider()
  const issuer = provider.issuer.replace('127.0.0.1', 'localhost')
  expect(issuer).not.toBe(provider.issuer)
  const { message } = await errorOf({ issuer }, byIssuer)
  expect(message).toContain(new URL(issuer).href)
  expect(message).toContain(`'${provider.issuer}'`)
})

test('a timeout says what was waited for: the endpoint, discovery, or a supplier', async () => {
  const hanging = () => new Promise<never>(() => {})
  expect(await errorOf({ fetch: hanging, timeoutMs: 20 })).toMatchObject({
    error: 'timeout',
    step: 'token_request',
    url: 'https://as.example/token',
  })
  const discovery = await errorOf({ issuer: 'https://as.example', fetch: hanging, timeoutMs: 20 }, byIssuer)
  expect(discovery).toMatchObject({ error: 'timeout', step: 'discovery' })
  expect(await errorOf({ clientSecret: hanging, timeoutMs: 20 })).toMatchObject({
    error: 'credential_unavailable',
    errorDescription: 'the clientSecret supplier returned nothing within 20 ms',
  })
})

test('a clientAuth of the user that throws is a credential that is unavailable, with its cause', async () => {
  const thrown = new TypeError('no such key')
  const { clientSecret, ...rest } = definition
  const error = await errorOf(
    {
      clientAuth: () => {
        throw thrown
      },
    },
    rest,
  )
  expect(error).toMatchObject({ error: 'credential_unavailable', step: 'supplier' })
  expect(error.cause).toBe(thrown)
})

test('the message of an error of tokenward that a supplier throws is repeated', async () => {
  class Sealed extends TokenwardError {
    readonly code = 'sealed'
  }
  const thrown = new Sealed('the vault is sealed')
  const clientSecret = () => Promise.reject(thrown)
  const error = await errorOf({ clientSecret })
  expect(error).toMatchObject({
    error: 'credential_unavailable',
    errorDescription: 'the clientSecret supplier failed: the vault is sealed',
  })
  expect(error.cause).toBe(thrown)
})

test('metadata without a token endpoint is said to be that', async () => {
  const transport = async () => Response.json({ issuer: 'https://as.example' })
  const error = await errorOf({ issuer: 'https://as.example', fetch: transport }, byIssuer)
  expect(error.message).toContain('no valid token_endpoint); discovery: https://as.example')
})

test.each([
  ['0', 0],
  ['300', 300_000],
  ['301', undefined],
  ['86400', undefined],
  ['-99999', undefined],
  ['1e2', undefined],
  ['soon', undefined],
  ['Wed, 01 Jan 2020 00:04:59 GMT', 299_000],
  ['Wednesday, 01-Jan-20 00:00:07 GMT', 7_000],
  ['Wed Jan  1 00:00:07 2020', 7_000],
  ['Wed, 01 Jan 2020 00:05:01 GMT', undefined],
  ['Tue, 31 Dec 2019 23:59:59 GMT', undefined],
])('Retry-After: %s is %j', (value, expected) => {
  const headers = new Headers({ 'retry-after': value, date: 'Wed, 01 Jan 2020 00:00:00 GMT' })
  expect(retryAfterMs(headers, Date.now())).toBe(expected)
})
