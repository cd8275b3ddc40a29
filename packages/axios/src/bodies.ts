/** A dropped response is read up to this size, so that its connection can be used again. */
const MOST_BYTES = 64 * 1024
/** A dropped response that takes longer is cut off. */
const LONGEST_MS = 1_000

/** A stream that can be read to its end, or cut off. */
interface Cuttable {
  read(onBytes: (bytes: number) => void): Promise<unknown>
  cut(): void
}

/**
 * Reads the body of a response that goes to nobody, if axios has not read it, or cuts it off when it is long or slow. Never rejects.
 */
export async function discard(data: unknown): Promise<void> {
  const stream = cuttable(data instanceof Response ? data.body : data)
  if (!stream) return
  const timer = setTimeout(stream.cut, LONGEST_MS) as unknown as { unref?: () => void }
  timer.unref?.()
  let length = 0
  try {
    await stream.read((bytes) => {
      length += bytes
      if (length > MOST_BYTES) stream.cut()
    })
  } catch {
    // The connection broke: there is nothing left to drop.
  } finally {
    clearTimeout(timer as never)
  }
}

function cuttable(body: unknown): Cuttable | undefined {
  if (body instanceof ReadableStream) return webStream(body)
  if (typeof body !== 'object' || body === null || !('destroy' in body) || !(Symbol.asyncIterator in body))
    return undefined
  const nodeStream = body as AsyncIterable<Uint8Array> & { destroy(): void }
  return {
    cut: () => nodeStream.destroy(),
    async read(onBytes) {
      for await (const chunk of nodeStream) onBytes(chunk.length)
    },
  }
}

function webStream(body: ReadableStream<Uint8Array>): Cuttable {
  const reader = body.getReader()
  return {
    cut: () => void reader.cancel().catch(() => {}),
    async read(onBytes) {
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return
        onBytes(value.byteLength)
      }
    },
  }
}
