import { bearerTokenAuthenticationPolicy, createEmptyPipeline, createPipelineRequest } from '@azure/core-rest-pipeline'
import { ConfidentialClientApplication } from '@azure/msal-node'
import { OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client'
import { clientFactory, LockingTokenCache } from '@scienta/axios-oauth2'
import { createTokenManager } from '@tokenward/core'
import tokenProvider from 'axios-token-interceptor'
import { OAuth2Client as GoogleClient } from 'google-auth-library'
import { type AccessToken, ClientCredentials } from 'simple-oauth2'
import { noTransport } from './azure-pipeline'

/** Keeps many tokens in one process, as one library does it. */
interface TokenKeeper {
  /** Returns the token with that number. Its first call gets the token, from a stand-in for the authorization server. */
  get(key: number): Promise<unknown>
}

/** @param newToken returns a new token with each call */
type Keep = (keys: number, newToken: () => string) => TokenKeeper

const LIFETIME_SECONDS = 3_600
const ISSUER = 'https://as.example'
const CREDENTIALS = { clientId: 'id', clientSecret: 'secret' }

/** A library that keeps one token in each of its objects: the user keeps the objects. */
function oneObjectPerKey<T>(create: () => T, get: (object: T) => Promise<unknown>): TokenKeeper {
  const objects = new Map<number, T>()
  return {
    get(key) {
      let object = objects.get(key)
      if (object === undefined) {
        object = create()
        objects.set(key, object)
      }
      return get(object)
    },
  }
}

const keepByTokenward: Keep = (keys, newToken) => {
  const tokens = createTokenManager({
    clients: { tenants: { tokenEndpoint: `${ISSUER}/token`, ...CREDENTIALS } },
    maxEntries: keys,
    requester: {
      request: async () => ({ access_token: newToken(), token_type: 'Bearer', expires_in: LIFETIME_SECONDS }),
    },
  })
  return { get: (key) => tokens.getAccessToken('tenants', { parameters: { tenant: `tenant-${key}` } }) }
}

const keepBySimpleOauth2: Keep = (_keys, newToken) => {
  const client = new ClientCredentials({ client: { id: 'id', secret: 'secret' }, auth: { tokenHost: ISSUER } })
  return oneObjectPerKey<AccessToken>(
    () => client.createToken({ access_token: newToken(), expires_in: LIFETIME_SECONDS }),
    async (token) => (token.expired(300) ? undefined : token.token.access_token),
  )
}

const keepByBadgateway: Keep = (_keys, newToken) => {
  const client = new OAuth2Client({ server: ISSUER, ...CREDENTIALS })
  const expiresAt = Date.now() + LIFETIME_SECONDS * 1_000
  return oneObjectPerKey(
    () => {
      const getNewToken = async () => ({ accessToken: newToken(), expiresAt, refreshToken: null })
      return new OAuth2Fetch({ client, getNewToken })
    },
    (wrapper) => wrapper.getAccessToken(),
  )
}

const keepByGoogle: Keep = (_keys, newToken) => {
  const expiry_date = Date.now() + LIFETIME_SECONDS * 1_000
  return oneObjectPerKey(
    () => {
      const client = new GoogleClient()
      client.refreshHandler = async () => ({ access_token: newToken(), expiry_date })
      return client
    },
    (client) => client.getAccessToken(),
  )
}

const keepByAzurePipeline: Keep = (_keys, newToken) => {
  const expiresOnTimestamp = Date.now() + LIFETIME_SECONDS * 1_000
  const credential = { getToken: async () => ({ token: newToken(), expiresOnTimestamp }) }
  return oneObjectPerKey(
    () => {
      const pipeline = createEmptyPipeline()
      pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: 'catalog' }))
      return pipeline
    },
    (pipeline) => pipeline.sendRequest(noTransport, createPipelineRequest({ url: ISSUER })),
  )
}

const keepByMsalNode: Keep = (_keys, newToken) => {
  const respond = async () => ({
    headers: {},
    status: 200,
    body: { access_token: newToken(), token_type: 'Bearer', expires_in: LIFETIME_SECONDS } as never,
  })
  const endpoints = { authorization_endpoint: `${ISSUER}/auth`, token_endpoint: `${ISSUER}/token` }
  const application = new ConfidentialClientApplication({
    auth: {
      ...CREDENTIALS,
      authority: ISSUER,
      knownAuthorities: ['as.example'],
      authorityMetadata: JSON.stringify({ issuer: ISSUER, jwks_uri: `${ISSUER}/jwks`, ...endpoints }),
    },
    system: { networkClient: { sendGetRequestAsync: respond, sendPostRequestAsync: respond } },
  })
  return { get: (key) => application.acquireTokenByClientCredential({ scopes: [`scope-${key}`] }) }
}

const keepByAxiosTokenInterceptor: Keep = (_keys, newToken) =>
  oneObjectPerKey(
    () => tokenProvider.tokenCache(async () => newToken(), { getMaxAge: () => LIFETIME_SECONDS * 1_000 }),
    (getToken) => getToken(),
  )

const keepByScienta: Keep = (_keys, newToken) => {
  const cache = new LockingTokenCache()
  const respond = async () => ({
    data: { access_token: newToken(), token_type: 'Bearer', expires_in: LIFETIME_SECONDS },
  })
  const instance = { request: respond } as unknown as Parameters<typeof clientFactory>[0]
  let clients = 0
  return oneObjectPerKey(
    () => {
      const options = { grant_type: 'client_credentials', client_id: `id-${clients++}`, client_secret: 'secret' }
      return clientFactory(instance, { url: `${ISSUER}/token`, ...options })
    },
    (client) => cache.getToken(client),
  )
}

/** How each library keeps many tokens, by the id of the library. */
export const keepersById: ReadonlyMap<string, Keep> = new Map([
  ['tokenward', keepByTokenward],
  ['simple-oauth2', keepBySimpleOauth2],
  ['@badgateway/oauth2-client', keepByBadgateway],
  ['google-auth-library', keepByGoogle],
  ['@azure/core-rest-pipeline', keepByAzurePipeline],
  ['@azure/msal-node', keepByMsalNode],
  ['axios-token-interceptor', keepByAxiosTokenInterceptor],
  ['@scienta/axios-oauth2', keepByScienta],
])
