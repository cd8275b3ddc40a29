import { ask, localTransport, membersOf, remoteTransport } from './ask'
import type { Attempt } from './attempt'
import type { AwsCredentials } from './aws-signature'
import { requiredBuiltin } from './builtin'
import { isLoopback } from './local-hosts'
import type { Transport } from './transport'

const ECS_ORIGIN = 'http://169.254.170.2'
/** The hosts that get the authorization token of a container by plain http: ECS, and EKS Pod Identity. */
const CONTAINER_HOSTS = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]']

/** Where credentials come from. */
export interface AwsEndpoints {
  readonly imdsOrigin: string
  /** The endpoint of STS. */
  readonly sts: URL
  readonly fetch: typeof fetch | undefined
}

/**
 * The credentials of the workload, where AWS's SDKs look for them too: the environment, a web identity (EKS with roles for service
 * accounts), the container's endpoint (ECS, EKS Pod Identity), the instance metadata service (EC2).
 *
 * - https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
 * - https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
 * - https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
 */
export async function findAwsCredentials(attempt: Attempt, endpoints: AwsEndpoints): Promise<AwsCredentials> {
  const accessKeyId = attempt.variable('AWS_ACCESS_KEY_ID')
  const secretAccessKey = attempt.variable('AWS_SECRET_ACCESS_KEY')
  if (accessKeyId && secretAccessKey) {
    return { accessKeyId, secretAccessKey, sessionToken: attempt.variable('AWS_SESSION_TOKEN') }
  }
  const roleArn = attempt.variable('AWS_ROLE_ARN')
  if (roleArn && attempt.variable('AWS_WEB_IDENTITY_TOKEN_FILE')) return assumeRole(attempt, roleArn, endpoints)
  const transport = localTransport(endpoints.fetch)
  const container = await containerRequest(attempt)
  if (container) return credentialsOf(attempt, membersOf((await ask(attempt, transport, container)).body))
  return instanceCredentials(attempt, transport, endpoints.imdsOrigin)
}

/** Exchanges the token of the service account for credentials of its role. The request is not signed. */
async function assumeRole(attempt: Attempt, roleArn: string, { sts, fetch }: AwsEndpoints): Promise<AwsCredentials> {
  const token = await readFile(attempt, 'AWS_WEB_IDENTITY_TOKEN_FILE')
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: roleArn,
    RoleSessionName: attempt.variable('AWS_ROLE_SESSION_NAME') ?? 'tokenward',
    WebIdentityToken: token,
  }).toString()
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await ask(attempt, remoteTransport(fetch), { url: sts, method: 'POST', headers, body })
  const element = (name: string) => new RegExp(`<${name}>\\s*([^<\\s]+)\\s*</${name}>`).exec(response.body)?.[1]
  return credentialsOf(attempt, {
    AccessKeyId: element('AccessKeyId'),
    SecretAccessKey: element('SecretAccessKey'),
    Token: element('SessionToken'),
  })
}

/** The region of the virtual machine. */
export async function instanceRegion(attempt: Attempt, imdsOrigin: string, send?: typeof fetch): Promise<string> {
  const region = await instanceMetadata(attempt, localTransport(send), imdsOrigin, 'placement/region')
  return region.trim()
}

async function containerRequest(attempt: Attempt) {
  const relative = attempt.variable('AWS_CONTAINER_CREDENTIALS_RELATIVE_URI')
  const full = attempt.variable('AWS_CONTAINER_CREDENTIALS_FULL_URI')
  const given = relative ? `${ECS_ORIGIN}${relative}` : full
  if (given === undefined) return undefined
  const url = URL.canParse(given) ? new URL(given) : undefined
  const isLocal = url?.protocol === 'http:' && (isLoopback(url) || CONTAINER_HOSTS.includes(url.hostname))
  if (!url || !(isLocal || url.protocol === 'https:')) {
    const message = 'environment variable AWS_CONTAINER_CREDENTIALS_FULL_URI is neither an https URL nor a host of AWS'
    throw attempt.error('invalid_response', message)
  }
  const authorization = await containerToken(attempt)
  return { url, headers: authorization === undefined ? {} : { authorization } }
}

async function containerToken(attempt: Attempt): Promise<string | undefined> {
  const file = 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'
  const inEnvironment = attempt.variable('AWS_CONTAINER_AUTHORIZATION_TOKEN')
  const token = attempt.variable(file) === undefined ? inEnvironment : await readFile(attempt, file)
  if (token !== undefined && !/^[\x20-\x7e]+$/.test(token)) {
    throw attempt.error('invalid_response', 'the authorization token of the container is no header value')
  }
  return token
}

/** The file that an environment variable names. */
async function readFile(attempt: Attempt, variable: string): Promise<string> {
  const files = requiredBuiltin(attempt, 'file system', (process) => process.getBuiltinModule('node:fs/promises'))
  try {
    const path = attempt.variable(variable) ?? ''
    return (await files.readFile(path, { encoding: 'utf8', signal: attempt.signal })).trim()
  } catch {
    throw attempt.error('not_available', `the file in environment variable ${variable} cannot be read`)
  }
}

async function instanceCredentials(attempt: Attempt, transport: Transport, origin: string): Promise<AwsCredentials> {
  const folder = 'iam/security-credentials/'
  const [role = ''] = (await instanceMetadata(attempt, transport, origin, folder)).trim().split('\n')
  if (!/^[\w+=,.@-]{1,128}$/.test(role)) throw attempt.error('not_available', 'the instance has no role')
  return credentialsOf(attempt, membersOf(await instanceMetadata(attempt, transport, origin, folder + role)))
}

/** IMDSv2: a session token first. */
async function instanceMetadata(attempt: Attempt, transport: Transport, origin: string, path: string): Promise<string> {
  if (attempt.variable('AWS_EC2_METADATA_DISABLED')?.toLowerCase() === 'true') {
    const message = 'no credentials or no region in the environment, and AWS_EC2_METADATA_DISABLED is true'
    throw attempt.error('not_available', message)
  }
  const unreachable = 'not running on AWS: neither AWS_ACCESS_KEY_ID nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set'
  const session = await ask(
    attempt,
    transport,
    {
      url: new URL('/latest/api/token', origin),
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '60' },
    },
    { unreachable },
  )
  const url = new URL(`/latest/meta-data/${path}`, origin)
  const headers = { 'x-aws-ec2-metadata-token': session.body.trim() }
  return (await ask(attempt, transport, { url, headers }, { hints: { 404: 'the instance may have no role' } })).body
}

function credentialsOf(attempt: Attempt, found: Readonly<Record<string, unknown>>): AwsCredentials {
  const { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey, Token: sessionToken } = found
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string' || typeof sessionToken !== 'string') {
    throw attempt.error('invalid_response', 'the endpoint of the credentials sent none')
  }
  return { accessKeyId, secretAccessKey, sessionToken }
}
