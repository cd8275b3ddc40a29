const MAX_BYTES = 64 * 1024
const MAX_MS = 1_000

/**
 * Reads the body of a response that nobody gets, so that its connection can serve the next request. A body that is longer
 * than 64 KiB, or takes longer than a second, is cancelled, which closes the connection. Never rejects.
 */
export async function discard({ body }: Response): Promise<void> {
  // A transport of the caller's may have read the body already.
  if (!body || body.locked) return
  const reader = body.getReader()
  const cancel = () => reader.cancel().catch(() => {})
  const timer = setTimeout(cancel, MAX_MS)
  // Node's timers keep a process alive unless told otherwise.
  ;(timer as { unref?(): void }).unref?.()
  try {
    for (let bytes = 0; bytes <= MAX_BYTES; ) {
      const { done, value } = await reader.read()
      if (done) return
      bytes += value.byteLength
    }
    await cancel()
  } catch {
    // The connection broke: nothing is left to discard.
  } finally {
    clearTimeout(timer)
  }
}
