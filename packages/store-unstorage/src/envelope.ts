/**
 * How a value stands in a Storage: an object, because a text would come back as whatever JSON it happens to be, and with
 * the end of its time, because many drivers know no time to live and the others count in seconds.
 */
export interface Envelope {
  readonly value: string
  /** Milliseconds since 1970, by the clock of the process that kept it. */
  readonly expiresAt: number
  /** Of the other two. A file that is written while it is read may give the head of one token and the tail of another. */
  readonly sha256: string
}

export async function createEnvelope(value: string, expiresAt: number): Promise<Envelope> {
  return { value, expiresAt, sha256: await digest(value, expiresAt) }
}

/** What a Storage gave back, if it is an envelope: undefined for another's entry, or for parts of several. */
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
