import { discardLimit } from '@tokenward/core'

/** Reads the body of a response that goes to nobody, or cuts it off when it is long or slow. Never rejects. */
export async function discard({ body }: Response): Promise<void> {
  // The caller's own `fetch` may have read it already.
  if (!body || body.locked) return
  const reader = body.getReader()
  const limit = discardLimit(() => void reader.cancel().catch(() => {}))
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      limit.count(value.byteLength)
    }
  } catch {
    // The connection broke: there is nothing left to drop.
  } finally {
    limit.release()
  }
}
