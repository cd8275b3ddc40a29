import { type CallCredentials, credentials } from '@grpc/grpc-js'
import {
  ConfigurationError,
  createRequestAuthorizer,
  type RequestTokenParameters,
  snapshotParameters,
  type TokenManager,
} from '@tokenward/core'
import { Attempt } from './internal/attempt'

/** Options of {@link createCallCredentials}. */
export interface CallCredentialsOptions {
  /** The hosts that tokens may go to: `invoices.company.com`. What counts is the authority of a call, without its port. */
  allowedHosts: readonly string[]
  /**
   * What the token is requested with: an object, or a function that returns one, or a promise of one. The function gets the call as an
   * HTTP request: `POST`, and the URL `https://host/package.Service/Method`. It does not get the metadata of the call.
   */
  tokenParameters?: RequestTokenParameters | undefined
}

/**
 * Call credentials that attach access tokens, for what takes channel credentials but not the options of a client. They are for TLS:
 * gRPC does not combine them with credentials for plain text.
 *
 * Call credentials do not learn the status of a call. So a token that the server rejects stays in use until it is renewed. Prefer
 * {@link createGrpcOptions} where it is possible.
 *
 * @example
 * credentials.combineChannelCredentials(
 *   credentials.createSsl(),
 *   createCallCredentials(tokens, 'invoice.client', { allowedHosts: ['invoices.company.com'] }),
 * )
 *
 * @throws ConfigurationError when `tokens` is no token manager, or when `allowedHosts` is missing or has something else than hosts
 */
export function createCallCredentials<Name extends string>(
  tokens: TokenManager<Name>,
  client: NoInfer<Name>,
  options: CallCredentialsOptions,
): CallCredentials {
  const { allowedHosts, tokenParameters: requested } = options ?? {}
  const tokenParameters = typeof requested === 'object' ? snapshotParameters(requested) : requested
  const allowedOrigins = originsOf(client, allowedHosts)
  const authorizer = createRequestAuthorizer<Name>(tokens, client, { allowedOrigins, tokenParameters })
  return credentials.createFromMetadataGenerator(({ service_url, method_name }, done) => {
    const url = new URL(service_url).origin + method_name
    new Attempt(client, () => authorizer.begin({ method: 'POST', url, headers: () => new Headers() })).present(done)
  })
}

function originsOf(client: string, hosts: unknown): string[] {
  const fail = (message: string) => new ConfigurationError([{ client, option: 'allowedHosts', message }])
  if (!Array.isArray(hosts) || hosts.length === 0) throw fail('must be an array of hosts')
  return hosts.map((host) => {
    const origin = `https://${host}`
    if (!URL.canParse(origin) || new URL(origin).host !== String(host).toLowerCase() || new URL(origin).port !== '') {
      throw fail('must have hosts only, without a port: invoices.company.com')
    }
    return origin
  })
}
