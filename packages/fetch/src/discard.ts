/** A dropped response is read up to this size, so that its connection can be used again. */
const MOST_BYTES = 64 * 1024
/** A dropped response that takes longer is cut off. */
const LONGEST_MS = 1_000

/** Reads the body of a response that goes to nobody, or cuts it off when it is long or slow. Never rejects. */
export async function discard(response: Response): Promise<void> {
  const reader = response.body?.getReader()
  if (!reader) return
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), LONGEST_MS) as unknown as { unref?: () => void }
  timer.unref?.()
  try {
    for (let length = 0; length <= MOST_BYTES; ) {
      const { done, value } = await reader.read()
      if (done) return
      length += value.byteLength
    }
    await reader.cancel()
  } catch {
    // The connection broke: there is nothing left to drop.
  } finally {
    clearTimeout(timer as never)
  }
}
