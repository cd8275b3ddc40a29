const SEPARATOR = '\u0001'
const SASL_AUTHENTICATION_FAILED = 58
const LENGTH_BYTES = 4

/**
 * The first message of a client (RFC 7628 §3.1), with the SASL extensions of KIP-342, and with its length, as KafkaJS wants it.
 */
export function initialResponse(token: string, extensions: Readonly<Record<string, string>> = {}): Buffer {
  const pairs = Object.entries(extensions).map(([name, value]) => `${name}=${value}${SEPARATOR}`)
  const message = Buffer.from(`n,,${SEPARATOR}auth=Bearer ${token}${SEPARATOR}${pairs.join('')}${SEPARATOR}`)
  const length = Buffer.alloc(LENGTH_BYTES)
  length.writeInt32BE(message.length)
  return Buffer.concat([length, message])
}

/**
 * What is wrong with the token. A broker that refuses it responds with a challenge (RFC 7628 §3.2.2), which KafkaJS takes for success.
 * Empty: it is accepted.
 */
export function challengeOf(raw: Buffer): string {
  const text = raw.subarray(LENGTH_BYTES).toString()
  if (text === '') return ''
  const [, status] = /"status"\s*:\s*"([\w-]{1,40})"/.exec(text) ?? []
  return status ?? 'refused'
}

/** Whether KafkaJS says that the broker refused the token. */
export function isRefusal(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === SASL_AUTHENTICATION_FAILED
}
