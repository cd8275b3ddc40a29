/** Credentials of AWS, as its SDKs name their parts. */
export interface AwsCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

export interface RequestToSign {
  readonly url: URL
  readonly body: string
  readonly region: string
  readonly service: string
  readonly credentials: AwsCredentials
  /** In milliseconds since 1970. */
  readonly now: number
}

const CONTENT_TYPE = 'application/x-www-form-urlencoded; charset=utf-8'

/**
 * The headers of a POST request that is signed by Signature Version 4.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export async function signedHeaders({
  url,
  body,
  region,
  service,
  credentials,
  now,
}: RequestToSign): Promise<Record<string, string>> {
  const time = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const date = time.slice(0, 8)
  const signed: Record<string, string> = { 'content-type': CONTENT_TYPE, host: url.host, 'x-amz-date': time }
  if (credentials.sessionToken !== undefined) signed['x-amz-security-token'] = credentials.sessionToken
  const names = Object.keys(signed).sort()
  const lines = names.map((name) => `${name}:${signed[name]}\n`).join('')
  const request = ['POST', url.pathname, '', lines, names.join(';'), hex(await sha256(body))].join('\n')
  const scope = `${date}/${region}/${service}/aws4_request`
  const text = ['AWS4-HMAC-SHA256', time, scope, hex(await sha256(request))].join('\n')
  let key = bytesOf(`AWS4${credentials.secretAccessKey}`)
  for (const part of [date, region, service, 'aws4_request']) key = await hmac(key, part)
  const signature = hex(await hmac(key, text))
  const { host: _, ...sent } = signed
  const credential = `${credentials.accessKeyId}/${scope}`
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { ...sent, authorization }
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text)
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytesOf(text)))
}

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, bytesOf(text)))
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
