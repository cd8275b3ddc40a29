/**
 * The form of a value in a Storage. It is an object, because unstorage would parse a plain string as JSON when it looks like
 * JSON. It has its own expiry time, because many drivers have no time to live, and the others count in seconds.
 */
export interface Envelope {
  readonly value: string
  /** Milliseconds since 1970, by the clock of the process that wrote it. */
  readonly expiresAt: number
  /**
   * The digest of the other two. When a file is read while another process writes it, the result may have the beginning of one
   * token and the end of another. The digest shows that.
   */
  readonly sha256: string
}

export async function createEnvelope(value: string, expiresAt: number): Promise<Envelope> {
  return { value, expiresAt, sha256: await digest(value, expiresAt) }
}

/** The envelope that a Storage returned; undefined when it is anything else, or has parts of several envelopes. */
export async function readEnvelope(entry: unknown): Promise<Envelope | undefined> {
  const { value, expiresAt, sha256 } = Object(entry) as Partial<Record<keyof Envelope, unknown>>
  if (typeof value !== 'string' || typeof expiresAt !== 'number') return undefined
  const envelope = await createEnvelope(value, expiresAt)
  return envelope.sha256 === sha256 ? envelope : undefined
}

async function digest(value: string, expiresAt: number): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(`${expiresAt} ${value}`))
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
