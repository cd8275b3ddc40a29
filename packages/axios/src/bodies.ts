const WORTH_READING = 64 * 1024

/**
 * Reads the body of an answer that nobody will see, if axios has not, so that its connection can serve the next request;
 * one that is longer than a connection is worth is cut off.
 */
export async function discard(data: unknown): Promise<void> {
  const body: unknown = data instanceof Response ? data.body : data
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)) return
  try {
    let length = 0
    // To leave the loop is to destroy or cancel the stream.
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      length += chunk.length
      if (length > WORTH_READING) break
    }
  } catch {
    // It broke off: there is nothing left to discard.
  }
}
