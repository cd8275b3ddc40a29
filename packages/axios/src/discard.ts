import { discardLimit } from '@tokenward/core'

/** A stream that can be read to its end, or cut off. */
interface Cuttable {
  read(onBytes: (bytes: number) => void): Promise<unknown>
  cut(): void
}

/**
 * Reads the body of a response that goes to nobody, if axios has not read it, or cuts it off when it is long or slow. Never rejects.
 *
 * @param cut ends its connection, where the stream itself cannot
 */
export async function discard(data: unknown, cut: () => void): Promise<void> {
  const stream = cuttable(data instanceof Response ? data.body : data)
  if (!stream) return
  const limit = discardLimit(() => {
    stream.cut()
    cut()
  })
  try {
    await stream.read((bytes) => limit.count(bytes))
  } catch {
    // The connection broke: there is nothing left to drop.
  } finally {
    limit.release()
  }
}

function cuttable(body: unknown): Cuttable | undefined {
  if (body instanceof ReadableStream) return body.locked ? undefined : webStream(body)
  if (typeof body !== 'object' || body === null || !('destroy' in body) || !(Symbol.asyncIterator in body)) {
    return undefined
  }
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
