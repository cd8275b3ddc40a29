/** What a run can break on purpose, to show that the invariants notice it. Unit tests show it for the other invariants. */
export const SABOTAGES = [
  /** The clock of each process runs at half the speed. */
  'slowClock',
  /** Redis is out of reach, and the invariants do not know. */
  'noStore',
  /** The store does not encrypt, and the invariants do not know. */
  'unencrypted',
] as const

export type Sabotage = (typeof SABOTAGES)[number]
