const MAX_BYTES = 64 * 1024
const MAX_MS = 1_000

interface BodyReader {
  read(): Promise<{ done?: boolean | undefined; value?: Uint8Array | undefined }>
  close(): unknown
}

/**
 * Reads the body of a response that nobody gets, if axios has not read it, so that its connection can serve the next
 * request. A body that is longer than 64 KiB, or takes longer than a second, is cut off, which closes the connection. Never
 * rejects.
 *
 * @param closeConnection is called when the body is cut off
 */
export async function discard(data: unknown, closeConnection: () => void): Promise<void> {
  const reader = readerOf(data instanceof Response ? data.body : data)
  if (!reader) return
  const cutOff = () => {
    reader.close()
    closeConnection()
  }
  const timer = setTimeout(cutOff, MAX_MS)
  // Node's timers keep a process alive unless told otherwise.
  ;(timer as { unref?(): void }).unref?.()
  try {
    for (let bytes = 0; bytes <= MAX_BYTES; ) {
      const { done, value } = await reader.read()
      if (done) return
      bytes += value?.length ?? 0
    }
    cutOff()
  } catch {
    // The connection broke: nothing is left to discard.
  } finally {
    clearTimeout(timer)
  }
}

/** Undefined for a body that is no stream. */
function readerOf(body: unknown): BodyReader | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  if (body instanceof ReadableStream) {
    if (body.locked) return undefined
    const reader = body.getReader()
    return { read: () => reader.read(), close: () => reader.cancel().catch(() => {}) }
  }
  if (!(Symbol.asyncIterator in body)) return undefined
  const stream = body as AsyncIterable<Uint8Array> & { destroy?(): void }
  const iterator = stream[Symbol.asyncIterator]()
  return { read: () => iterator.next(), close: () => stream.destroy?.() }
}
