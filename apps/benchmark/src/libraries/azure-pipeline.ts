import {
  bearerTokenAuthenticationPolicy,
  createDefaultHttpClient,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
} from '@azure/core-rest-pipeline'
import { type Library, renewsAhead } from './library'
import { requestToken } from './request-token'

/** Its policy only attaches tokens to https requests. The servers of the benchmark speak http. */
const httpsToHttp = (url: string) => url.replace(/^https:/, 'http:')

/** Responds without sending anything. */
export const noTransport: HttpClient = {
  sendRequest: async (request) => ({ request, status: 200, headers: createHttpHeaders() }),
}

const NO_CHALLENGE = 'it only reacts to a 401 that carries a claims challenge of Microsoft Entra'

export const azurePipeline: Library = {
  id: '@azure/core-rest-pipeline',
  packageName: '@azure/core-rest-pipeline',
  httpClient: 'node:http',
  use: '`bearerTokenAuthenticationPolicy` in a pipeline, with a credential that requests the token; the cached call goes through the policy and is not sent',
  cannot: {
    revoked: NO_CHALLENGE,
    rejecting: NO_CHALLENGE,
    fleet: 'it keeps tokens in its process only',
    dpop: 'it has no DPoP',
  },
  // From two minutes before expiry in the background.
  lifetimeFor: renewsAhead(120),
  open(options) {
    const pipeline = createEmptyPipeline()
    const credential = {
      async getToken() {
        const { access_token, expires_in } = await requestToken(options)
        return { token: access_token, expiresOnTimestamp: Date.now() + expires_in * 1_000 }
      },
    }
    pipeline.addPolicy(bearerTokenAuthenticationPolicy({ credential, scopes: 'catalog' }))
    const client = createDefaultHttpClient()
    const url = `${options.baseURL.replace(/^http:/, 'https:')}test`
    const transport: HttpClient = {
      sendRequest(request) {
        request.url = httpsToHttp(request.url)
        request.allowInsecureConnection = true
        return client.sendRequest(request)
      },
    }
    const plain = createEmptyPipeline()
    return {
      getToken: async () =>
        (await pipeline.sendRequest(noTransport, createPipelineRequest({ url }))).request.headers.get('authorization'),
      async request() {
        const { status, bodyAsText } = await pipeline.sendRequest(transport, createPipelineRequest({ url }))
        JSON.parse(bodyAsText ?? '')
        return status
      },
      requestWithHeader: (authorization) => async () => {
        const headers = createHttpHeaders({ authorization })
        const { status, bodyAsText } = await plain.sendRequest(transport, createPipelineRequest({ url, headers }))
        JSON.parse(bodyAsText ?? '')
        return status
      },
    }
  },
}
