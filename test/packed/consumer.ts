// What a user's project imports. test/packed-types.test.ts compiles it against the packed packages, with each compiler and option
// that the README names.
import { connectAmqp, createAmqpManager } from '@tokenward/amqp'
import { createAxios } from '@tokenward/axios'
import { createTokenCredential, credentialRequester } from '@tokenward/azure'
import { createTokenManager, TokenRequestError, type TokenStore } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { createCallCredentials, createGrpcOptions } from '@tokenward/grpc'
import { entraFederation, githubActionsToken, SpiffeJwt, spiffeToken } from '@tokenward/identity'
import { createKafkaConfig, createLibrdkafkaConfig, reportRejections } from '@tokenward/kafka'
import { createMcpAuth } from '@tokenward/mcp'
import { connectMqtt } from '@tokenward/mqtt'
import { TokenwardModule } from '@tokenward/nestjs'
import { createOfetch } from '@tokenward/ofetch'
import { instrument } from '@tokenward/opentelemetry'
import { encryptedStore } from '@tokenward/store-encrypted'
import { keyvStore } from '@tokenward/store-keyv'
import { memoryStore } from '@tokenward/store-memory'
import { redisStore } from '@tokenward/store-redis'
import { storeConformance } from '@tokenward/store-testkit'
import { unstorageStore } from '@tokenward/store-unstorage'
import { createTestTokens } from '@tokenward/testing'
import { tokenInterceptor } from '@tokenward/undici'
import { connectWebSocket } from '@tokenward/websocket'

const baseURL = 'https://api.example'
const store: TokenStore = encryptedStore(memoryStore(), { keys: [new Uint8Array(32)] })
const tokens = createTokenManager({
  clients: {
    a: { issuer: new URL('https://as.example'), clientId: 'c', clientSecret: 's' },
    assertion: { issuer: 'https://as.example', clientId: 'c', clientAssertion: githubActionsToken() },
    spiffe: { issuer: 'https://as.example', clientId: 'c', clientAuth: SpiffeJwt(spiffeToken()) },
    entra: entraFederation({ tenantId: 't', clientId: 'c', scope: 's', clientAssertion: githubActionsToken() }),
  },
  store,
})

export const api = createFetch(tokens, 'a', { baseURL })
export const others = [createOfetch(tokens, 'a', { baseURL }), createAxios(tokens, 'a', { baseURL })]
export const interceptor = tokenInterceptor(tokens, 'a', { baseURL })
export const azure = credentialRequester(createTokenCredential(tokens, 'a'))
export const connect = () => connectWebSocket(tokens, 'a', baseURL, { onToken: (token) => token.value })
export const grpc = [
  createGrpcOptions(tokens, 'a'),
  createCallCredentials(tokens, 'a', { allowedHosts: ['api.example'] }),
]
export const nest = TokenwardModule.forRoot({ tokens })
export const mcp = createMcpAuth(tokens, 'a', { serverUrl: baseURL })
export const connectDevice = () =>
  connectMqtt(tokens, 'a', 'mqtts://broker.example', { tokenParameters: { scope: 's' } })
export const connectBroker = () =>
  connectAmqp(tokens, 'a', 'amqps://broker.example', { tokenParameters: { scope: 's' } })
export const kafka = createKafkaConfig(tokens, 'a', { brokers: ['kafka.example:9093'], ssl: true })
export const functions = [
  createAmqpManager,
  createLibrdkafkaConfig,
  reportRejections,
  redisStore,
  keyvStore,
  unstorageStore,
  storeConformance,
  TokenRequestError,
]
export const stop = instrument(tokens)
export const testTokens = createTestTokens({ clients: { x: {} } })

export async function call(signal: AbortSignal): Promise<[string, number]> {
  const token = await tokens.getAccessToken('a', { signal, resource: new URL('https://r.example') })
  const response = await api('list', { signal, tokenParameters: { scope: 's' } })
  const types: [string, number] = [token.value, response.status]
  // @ts-expect-error no such client
  await tokens.getAccessToken('b')
  // @ts-expect-error no such client
  createFetch(tokens, 'b', { baseURL })
  return types
}
