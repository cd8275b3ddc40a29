import type { HttpIdentityTokenOptions, IdentityTokenSupplier } from './identity-token'
import { ask, remoteTransport, shown, timeOf } from './internal/ask'
import { type Attempt, attempt } from './internal/attempt'
import { findAwsCredentials, instanceRegion } from './internal/aws-credentials'
import { type AwsCredentials, signedHeaders } from './internal/aws-signature'
import { checkedToken } from './internal/checked-token'
import { isLoopback } from './internal/local-hosts'
import { OptionChecks } from './internal/options'

export type { AwsCredentials } from './internal/aws-signature'

/** Options of {@link awsWebIdentityToken}. */
export interface AwsWebIdentityTokenOptions extends HttpIdentityTokenOptions {
  /** The audience of the token. Default: the authorization server's issuer, or what a preset passes. */
  audience?: string | undefined
  /** Default: `AWS_REGION`, `AWS_DEFAULT_REGION`, the region of the virtual machine. */
  region?: string | undefined
  /** How AWS signs the token. Default `RS256`. */
  signingAlgorithm?: 'RS256' | 'ES384' | undefined
  /** The lifetime of the token, from 60 to 3,600 seconds. Default 300. */
  durationSeconds?: number | undefined
  /**
   * What signs the request: a function that returns credentials, such as `fromNodeProviderChain()` of AWS's SDK. Default: the
   * environment, the role of the service account (EKS), the container's endpoint (ECS, EKS Pod Identity), the instance metadata
   * service (EC2). Profiles in files are not read.
   */
  credentials?: (() => AwsCredentials | Promise<AwsCredentials>) | undefined
  /** The endpoint of STS. Default: that of the region. */
  endpoint?: string | undefined
  /** The origin of the instance metadata service. Default `http://169.254.169.254`. */
  imdsOrigin?: string | undefined
}

const IMDS = 'http://169.254.169.254'

/**
 * A token that says which AWS principal this is, by `GetWebIdentityToken` of STS. Outbound identity federation has to be turned on for
 * the account, and the principal needs `sts:GetWebIdentityToken`. Each call requests a new token.
 *
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html
 *
 * @example
 * ```ts
 * clientAssertion: awsWebIdentityToken({ audience: 'https://login.company.com' })
 * ```
 */
export function awsWebIdentityToken(options: AwsWebIdentityTokenOptions = {}): IdentityTokenSupplier {
  const { signingAlgorithm = 'RS256', durationSeconds = 300, imdsOrigin = IMDS } = options
  checkAwsOptions(options)
  return (context) =>
    attempt('AWS', options, context, async (current) => {
      const region =
        options.region ??
        current.variable('AWS_REGION') ??
        current.variable('AWS_DEFAULT_REGION') ??
        (await instanceRegion(current, imdsOrigin, options.fetch))
      const url = endpointOf(current, region, options.endpoint)
      const endpoints = { imdsOrigin, sts: url, fetch: options.fetch }
      const credentials = await (options.credentials?.() ?? findAwsCredentials(current, endpoints))
      const body = new URLSearchParams({
        Action: 'GetWebIdentityToken',
        Version: '2011-06-15',
        'Audience.member.1': options.audience ?? context.audience,
        SigningAlgorithm: signingAlgorithm,
        DurationSeconds: String(durationSeconds),
      }).toString()
      const headers = await signedHeaders({ url, body, region, service: 'sts', credentials, now: current.clock.now() })
      const response = await ask(current, remoteTransport(options.fetch), { url, method: 'POST', headers, body })
      const [, token] = /<WebIdentityToken>\s*([\w.-]+)\s*<\/WebIdentityToken>/.exec(response.body) ?? []
      return checkedToken(current, token, { source: `the response of ${shown(url)}`, now: timeOf(response) })
    })
}

function checkAwsOptions(options: AwsWebIdentityTokenOptions): void {
  const checks = new OptionChecks('awsWebIdentityToken')
  const text = 'text' as const
  checks.known(options, {
    audience: text,
    region: text,
    signingAlgorithm: text,
    durationSeconds: 'number',
    credentials: 'function',
    endpoint: text,
    imdsOrigin: text,
    fetch: 'function',
  })
  const { endpoint, imdsOrigin, durationSeconds = 300 } = options
  if (durationSeconds < 60 || durationSeconds > 3_600) checks.problem('durationSeconds', 'must be from 60 to 3,600')
  for (const [option, value] of Object.entries({ endpoint, imdsOrigin })) {
    if (value !== undefined && !URL.canParse(value)) checks.problem(option, 'does not parse as a URL')
  }
  checks.throwIfAny()
}

function endpointOf(attempt: Attempt, region: string, endpoint: string | undefined): URL {
  // It becomes part of a host.
  if (!/^[a-z0-9-]{1,40}$/.test(region)) throw attempt.error('invalid_response', 'the region is no name of a region')
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  const url = new URL(endpoint ?? `https://sts.${region}.${suffix}/`)
  if (url.protocol === 'https:' || isLoopback(url)) return url
  throw attempt.error('invalid_response', 'the endpoint of STS is not https')
}
