import { ResponseTooLarge } from './transport-errors'

/** The longest body that is read, in bytes after decompression. */
const MOST_BYTES = 1_048_576

const STATUSES_WITHOUT_BODY = new Set([204, 205, 304])

/**
 * The response with its body in memory. Reading stops, and the connection is given up, after {@link MOST_BYTES} or when the
 * signal aborts.
 *
 * @throws ResponseTooLarge
 */
export async function boundedResponse(response: Response, signal: AbortSignal): Promise<Response> {
  const { status, statusText, headers } = response
  if (!(status >= 200 && status <= 599)) throw new TypeError('no HTTP response')
  const bytes = await readBody(response, signal)
  return new Response(STATUSES_WITHOUT_BODY.has(status) ? null : bytes, {
    status,
    statusText,
    // A transport of the user's may have a class Headers of its own.
    headers: new Headers([...headers] as [string, string][]),
  })
}

async function readBody({ body }: Response, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
  if (!body) return new Uint8Array()
  const reader = readerOf(body)
  const cancel = () => void reader.cancel().catch(() => {})
  if (signal.aborted) cancel()
  signal.addEventListener('abort', cancel, { once: true })
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for (;;) {
      const { done, value } = await reader.read()
      signal.throwIfAborted()
      if (done) return joined(chunks, length)
      length += value.byteLength
      if (length > MOST_BYTES) {
        reader.cancel().catch(() => {})
        throw new ResponseTooLarge()
      }
      chunks.push(value)
    }
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

/** A transport of the user's, such as node-fetch, may have bodies that can only be iterated. */
function readerOf(body: ReadableStream<Uint8Array>): Pick<ReadableStreamDefaultReader<Uint8Array>, 'read' | 'cancel'> {
  if (typeof body.getReader === 'function') return body.getReader()
  const iterator = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  const read = () => iterator.next() as Promise<ReadableStreamReadResult<Uint8Array>>
  return { read, cancel: async () => void (await iterator.return?.()) }
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes
}
