const WORTH_READING = 64 * 1024

/**
 * Reads the body of an answer that nobody will see, so that its connection can serve the next request; one that is
 * longer than a connection is worth is cut off.
 */
export async function discard(response: Response): Promise<void> {
  const reader = response.body?.getReader()
  if (!reader) return
  try {
    for (let length = 0; length <= WORTH_READING; ) {
      const { done, value } = await reader.read()
      if (done) return
      length += value.byteLength
    }
    await reader.cancel()
  } catch {
    // It broke off: there is nothing left to discard.
  }
}
