import { createHash } from 'node:crypto'

/** What code under simulation gets in place of the platform's own time and randomness. */
export interface SimulatedPlatform {
  /** The wall clock of the simulated process whose code runs now. */
  wallNow(): number
  /** From 0 to 1. */
  random(): number
}

const ALGORITHMS: Readonly<Record<string, string>> = { 'SHA-1': 'sha1', 'SHA-256': 'sha256' }

/**
 * Replaces what a run must not depend on: the wall clock, random ids, and hashing, which runs in another thread and so ends at
 * a time of its own. The hashes are the same. The returned function undoes it.
 */
export function replacePlatform(platform: SimulatedPlatform): () => void {
  const { now } = Date
  const { randomUUID } = crypto
  const { digest } = crypto.subtle
  Date.now = () => platform.wallNow()
  crypto.randomUUID = () => {
    const part = (length: number) =>
      Math.floor(platform.random() * 16 ** length)
        .toString(16)
        .padStart(length, '0')
    return `${part(8)}-${part(4)}-${part(4)}-${part(4)}-${part(12)}`
  }
  crypto.subtle.digest = async (algorithm, data) => {
    const hash = createHash(ALGORITHMS[String(algorithm)] ?? String(algorithm))
    const bytes = ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : data
    return new Uint8Array(hash.update(new Uint8Array(bytes as ArrayBuffer)).digest()).buffer
  }
  return () => {
    Date.now = now
    crypto.randomUUID = randomUUID
    crypto.subtle.digest = digest
  }
}
