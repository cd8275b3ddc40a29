import type { Attempt } from './attempt'
import { requiredBuiltin } from './builtin'
import { MOST_CHARACTERS } from './checked-token'

/** Where a gRPC server listens without TLS. */
export type GrpcAddress = { readonly path: string } | { readonly host: string; readonly port: number }

export interface GrpcCall {
  readonly address: GrpcAddress
  /** Such as `/Service/Method`. */
  readonly method: string
  readonly metadata: Readonly<Record<string, string>>
  readonly message: Uint8Array
}

export type GrpcResult = { readonly status: 0; readonly message: Uint8Array } | { readonly status: number }

/**
 * One unary gRPC call over HTTP/2.
 *
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 *
 * @throws Error with a code when the connection fails.
 */
export function callGrpc(attempt: Attempt, { address, method, metadata, message }: GrpcCall): Promise<GrpcResult> {
  const http2 = requiredBuiltin(attempt, 'HTTP/2 client', (process) => process.getBuiltinModule('node:http2'))
  const net = requiredBuiltin(attempt, 'sockets', (process) => process.getBuiltinModule('node:net'))
  return new Promise<GrpcResult>((resolve, reject) => {
    const socket = net.connect(address)
    const session = http2.connect('http://localhost', { createConnection: () => socket })
    const end = () => {
      session.destroy()
      // It may not be connected yet.
      socket.destroy()
    }
    attempt.signal.addEventListener('abort', end, { once: true })
    // The error of the socket says more than those that follow from it.
    let failure: unknown
    const note = (error: unknown) => {
      failure ??= error
    }
    socket.once('error', note)
    session.on('error', note)
    session.once('close', () => {
      attempt.signal.removeEventListener('abort', end)
      reject(failure ?? new TypeError('the connection was closed'))
    })
    const stream = session.request({
      ':method': 'POST',
      ':path': method,
      ':scheme': 'http',
      ':authority': 'localhost',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...metadata,
    })
    const chunks: Uint8Array[] = []
    let length = 0
    let status: unknown
    stream.on('error', () => {})
    stream.once('close', end)
    // An error without a message may have its status in the headers.
    stream.once('response', (headers) => {
      status = headers['grpc-status'] ?? UNKNOWN
    })
    stream.once('trailers', (trailers) => {
      status = trailers['grpc-status'] ?? status
    })
    stream.on('data', (chunk: Uint8Array) => {
      length += chunk.length
      if (length > 4 * MOST_CHARACTERS) end()
      else chunks.push(chunk)
    })
    stream.once('end', () => {
      if (status === undefined) return
      const code = /^\d{1,3}$/.test(String(status)) ? Number(status) : UNKNOWN
      resolve(code === 0 ? unframed(chunks, length) : { status: code })
    })
    stream.end(framed(message))
  })
}

const UNKNOWN = 2
const INTERNAL = 13
const PREFIX_BYTES = 5

function framed(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(PREFIX_BYTES + message.length)
  new DataView(frame.buffer).setUint32(1, message.length)
  frame.set(message, PREFIX_BYTES)
  return frame
}

/** The one message of a response. Compression was not offered, so a compressed message is wrong. */
function unframed(chunks: readonly Uint8Array[], length: number): GrpcResult {
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  const isWhole = length >= PREFIX_BYTES && bytes[0] === 0
  if (!isWhole || new DataView(bytes.buffer).getUint32(1) !== length - PREFIX_BYTES) return { status: INTERNAL }
  return { status: 0, message: bytes.subarray(PREFIX_BYTES) }
}
