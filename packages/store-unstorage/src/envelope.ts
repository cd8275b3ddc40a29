/**
 * How a value stands in a Storage: an object, because a text would come back as whatever JSON it happens to be, and with
 * the end of its time, because many drivers know no time to live and the others count in seconds.
 */
export interface Envelope {
  readonly value: string
  /** Milliseconds since 1970, by the clock of the process that kept it. */
  readonly expiresAt: number
}

/** Whether what a Storage gave back is an envelope, and not another's entry or half of one. */
export function isEnvelope(entry: unknown): entry is Envelope {
  const { value, expiresAt } = Object(entry) as Partial<Record<keyof Envelope, unknown>>
  return typeof value === 'string' && typeof expiresAt === 'number'
}
