import type { TokenCredential } from '@azure/core-auth'
import {
  ClientAssertionCredential,
  ClientSecretCredential,
  CredentialUnavailableError,
  DefaultAzureCredential,
} from '@azure/identity'
import { type CredentialRequesterOptions, credentialRequester } from '@tokenward/azure'
import { ConfigurationError, createTokenManager, TokenRequestError } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { startProvider } from '@tokenward/test-support'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { entra } from './support'

const TENANT = '11111111-2222-3333-4444-555555555555'
const SCOPE = 'https://catalog.example/.default'
const authority = { authorityHost: 'https://login.example', disableInstanceDiscovery: true }

function managerOf(credential: TokenCredential, options?: CredentialRequesterOptions) {
  const tokens = createTokenManager({
    clients: {
      azure: {
        issuer: `https://login.example/${TENANT}/v2.0`,
        clientId: 'catalog.post',
        requester: credentialRequester(credential, options),
        scope: SCOPE,
      },
    },
  })
  onTestFinished(() => tokens.close())
  return tokens
}

/** An authority, and a ClientSecretCredential of it. */
async function setup(options: { lifetime?: number; requester?: CredentialRequesterOptions } = {}) {
  const provider = await startProvider()
  const { clientId, clientSecret } = provider.client('catalog.post')
  const { httpClient, requests } = entra(provider, options)
  const credential = new ClientSecretCredential(TENANT, clientId, clientSecret, { ...authority, httpClient })
  const tokens = managerOf(credential, options.requester)
  const call = createFetch(tokens, 'azure', { baseURL: provider.catalog.baseURL })
  return { provider, credential, tokens, requests, call, clientSecret }
}

test('a ClientSecretCredential: the adapters of tokenward send its token, and all share it', async () => {
  const { provider, requests, call, tokens } = await setup()
  const responses = await Promise.all(Array.from({ length: 20 }, () => call('list')))
  expect(responses.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(requests).toHaveLength(1)
  expect(requests[0]?.get('scope')).toContain(SCOPE)
  const { expiresAt, type } = await tokens.getAccessToken('azure')
  expect(type).toBe('Bearer')
  expect(Number(expiresAt)).toBeGreaterThan(Date.now() + 3_500_000)
  expect(provider.tokenRequests).toHaveLength(1)
})

test('after a revocation: a new token, although the credential has a cache of its own', async () => {
  const { provider, requests, call } = await setup()
  await call('list')
  provider.revokeIssued()
  expect((await call('list')).status).toBe(200)
  expect(requests).toHaveLength(2)
  // What makes the library skip its cache is not sent.
  expect(requests[1]?.get('claims')).toBeNull()
  expect(new Set(provider.catalog.requests.map(({ headers }) => headers.authorization)).size).toBe(2)
})

test('a claims challenge of an API goes to the credential', async () => {
  const { provider, requests, call } = await setup()
  await call('list')
  const demanded = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
  provider.catalog.faults.fail(1, {
    status: 401,
    headers: { 'www-authenticate': `Bearer error="insufficient_claims", claims="${btoa(demanded)}"` },
  })
  expect((await call('list')).status).toBe(200)
  // The library adds what it wants to know of an ID token.
  expect(requests.map((form) => JSON.parse(form.get('claims') ?? '{}'))).toEqual([
    {},
    expect.objectContaining(JSON.parse(demanded)),
  ])
})

test('across an expiry: a new token', async () => {
  // The library counts a token as expired that lives for less than five minutes.
  const { requests, tokens } = await setup({ lifetime: 1 })
  const first = await tokens.getAccessToken('azure')
  await expect.poll(async () => (await tokens.getAccessToken('azure')).value).not.toBe(first.value)
  expect(requests.length).toBeGreaterThanOrEqual(2)
})

test('a ClientAssertionCredential', async () => {
  const provider = await startProvider()
  const { clientId } = provider.client('catalog.post')
  const { httpClient, requests } = entra(provider)
  const assertion = async () => 'the-assertion'
  const credential = new ClientAssertionCredential(TENANT, clientId, assertion, { ...authority, httpClient })
  // The authorization server does not know the assertion. What counts is that the library sent it, and what its error becomes.
  const error = await managerOf(credential)
    .getAccessToken('azure')
    .catch((reason) => reason)
  expect(requests[0]?.get('client_assertion')).toBe('the-assertion')
  expect(error).toBeInstanceOf(TokenRequestError)
  expect(error).toMatchObject({ client: 'azure', error: 'invalid_request', step: 'supplier', retryable: false })
})

describe('failures', () => {
  afterEach(() => vi.unstubAllEnvs())

  test('a wrong secret: the code of the authority, and nothing secret', async () => {
    const provider = await startProvider()
    const { httpClient } = entra(provider)
    const credential = new ClientSecretCredential(TENANT, 'catalog.post', 'the-wrong-secret', {
      ...authority,
      httpClient,
    })
    const error = await managerOf(credential)
      .getAccessToken('azure')
      .catch((reason) => reason)
    expect(error).toMatchObject({ error: 'invalid_client', retryable: false })
    expect(`${error.message} ${JSON.stringify(error)}`).not.toContain('the-wrong-secret')
  })

  test('no identity on this machine: credential_unavailable, with the error of the library as its cause', async () => {
    const failure = new CredentialUnavailableError('no managed identity here')
    const credential: TokenCredential = { getToken: () => Promise.reject(failure) }
    const error = await managerOf(credential)
      .getAccessToken('azure')
      .catch((reason) => reason)
    expect(error).toMatchObject({ error: 'credential_unavailable', retryable: true, cause: failure })
    expect(error.message).toContain('the credential failed: CredentialUnavailableError')
    expect(error.message).not.toContain('no managed identity here')
  })

  test('a credential that returns nothing, or throws what is no error', async () => {
    const nothing = await managerOf({ getToken: async () => null })
      .getAccessToken('azure')
      .catch((reason) => reason)
    expect(nothing.message).toContain('the credential returned no token')
    const text = await managerOf({ getToken: () => Promise.reject('text') })
      .getAccessToken('azure')
      .catch((r) => r)
    expect(text).toMatchObject({ error: 'credential_unavailable' })
  })

  test('a proof-of-possession token is refused: it cannot be sent as Bearer', async () => {
    const credential: TokenCredential = {
      getToken: async () => ({ token: 't', expiresOnTimestamp: Date.now() + 60_000, tokenType: 'pop' }),
    }
    const error = await managerOf(credential)
      .getAccessToken('azure')
      .catch((reason) => reason)
    expect(error).toMatchObject({ error: 'invalid_response', retryable: false })
  })

  test('what cannot be right is named', async () => {
    expect(() => credentialRequester({} as TokenCredential)).toThrow(ConfigurationError)
    const tokens = createTokenManager({
      clients: {
        azure: {
          issuer: 'https://login.example',
          clientId: 'c',
          requester: credentialRequester({ getToken: async () => null }),
        },
      },
    })
    onTestFinished(() => tokens.close())
    await expect(tokens.getAccessToken('azure')).rejects.toThrow('scope')
  })
})

test('what is passed to the credential: scopes, tenant, CAE and the signal', async () => {
  const seen: unknown[] = []
  const credential: TokenCredential = {
    async getToken(...args) {
      seen.push(args)
      return { token: 't', expiresOnTimestamp: Date.now() + 60_000, refreshAfterTimestamp: Date.now() + 30_000 }
    },
  }
  await managerOf(credential, { enableCae: true, tenantId: TENANT }).getAccessToken('azure', { scope: 'a b' })
  expect(seen).toEqual([[['a', 'b'], { abortSignal: expect.any(AbortSignal), enableCae: true, tenantId: TENANT }]])
})

test('a DefaultAzureCredential is a credential as any other', () => {
  expect(credentialRequester(new DefaultAzureCredential())).toHaveProperty('request')
})
