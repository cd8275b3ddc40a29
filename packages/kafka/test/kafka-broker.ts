import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * What a token is worth.
 *
 * @returns when it expires, in milliseconds since 1970. Undefined: it is not valid
 */
export type TokenCheck = (token: string) => Promise<number | undefined>

/** A small Kafka broker for these tests. */
export interface KafkaBroker {
  /** `127.0.0.1:PORT` */
  readonly address: string
  /** The token of each authentication, in order, and what came of it. */
  readonly authentications: {
    readonly token: string
    readonly extensions: readonly string[]
    readonly accepted: boolean
    readonly again: boolean
  }[]
  /** How many batches of messages were produced. */
  readonly batches: number
  /** How many connections were ended because their session was over (KIP-368). */
  readonly expired: number
  /** Ends all connections. */
  dropConnections(): void
}

/** The APIs that it serves, by their keys, and up to which version. */
const API = { produce: 0, fetch: 1, metadata: 3, saslHandshake: 17, apiVersions: 18, saslAuthenticate: 36 }
const VERSIONS: readonly (readonly [key: number, first: number, last: number])[] = [
  [API.produce, 3, 3],
  // Clients want to see it, but no test consumes.
  [API.fetch, 4, 4],
  [API.metadata, 1, 2],
  [API.saslHandshake, 0, 1],
  [API.apiVersions, 0, 0],
  [API.saslAuthenticate, 0, 1],
]
const UNSUPPORTED_VERSION = 35
const SASL_AUTHENTICATION_FAILED = 58

/**
 * Starts a broker that speaks the part of Kafka's protocol that producers need. Nobody packages a real Kafka for npm or Debian, so this
 * is a stand-in. SASL/OAUTHBEARER is as in Apache Kafka: a token that is not valid gets a challenge with the error (RFC 7628 §3.2.2), and
 * the failure only after the client has responded to it. A session ends with its token (KIP-368). It ends with the test.
 */
export async function startKafkaBroker(check: TokenCheck): Promise<KafkaBroker> {
  const sockets = new Set<Socket>()
  const authentications: KafkaBroker['authentications'][number][] = []
  let batches = 0
  let expired = 0
  let port = 0

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => {})
    let buffered = Buffer.alloc(0)
    let work = Promise.resolve()
    let state: 'new' | 'handshaken' | 'challenged' | 'authenticated' = 'new'
    let wasAuthenticated = false
    let sessionEndsAt = 0

    async function authenticate(bytes: Buffer): Promise<Buffer> {
      if (state === 'challenged') {
        socket.end(answer(SASL_AUTHENTICATION_FAILED, 'invalid credentials', '', 0))
        return Buffer.alloc(0)
      }
      // `n,,` `auth=Bearer TOKEN` and the extensions, each of which ends with this character (RFC 7628 §3.1).
      const [, credentials = '', ...pairs] = bytes.toString().split('\u0001')
      const token = credentials.replace(/^auth=Bearer /, '')
      const extensions = pairs.filter((pair) => pair !== '')
      const expiresAt = await check(token)
      const accepted = expiresAt !== undefined && expiresAt > Date.now()
      authentications.push({ token, extensions, accepted, again: wasAuthenticated })
      if (!accepted) {
        state = 'challenged'
        return answer(0, undefined, '{"status":"invalid_token"}', 0)
      }
      state = 'authenticated'
      wasAuthenticated = true
      sessionEndsAt = expiresAt
      return answer(0, undefined, '', expiresAt - Date.now())
    }

    /** @returns the response, or undefined to end the connection as Kafka does */
    async function respond(key: number, version: number, body: Reader): Promise<Buffer | undefined> {
      if (key === API.apiVersions) {
        const error = version === 0 ? 0 : UNSUPPORTED_VERSION
        return join(
          int16(error),
          list(VERSIONS, (numbers) => join(...numbers.map(int16))),
        )
      }
      if (key === API.saslHandshake) {
        if (state !== 'new' && state !== 'authenticated') return undefined
        state = 'handshaken'
        return join(int16(0), list(['OAUTHBEARER'], string))
      }
      if (key === API.saslAuthenticate) {
        if (state !== 'handshaken' && state !== 'challenged') return undefined
        const response = await authenticate(body.bytes())
        return version === 0 ? response.subarray(0, -8) : response
      }
      if (state !== 'authenticated') return undefined
      if (Date.now() >= sessionEndsAt) {
        expired++
        return undefined
      }
      if (key === API.metadata) return metadata(version, body, port)
      batches++
      return produce(body)
    }

    async function handle(request: Buffer): Promise<void> {
      const reader = new Reader(request)
      const [key, version, correlation] = [reader.int16(), reader.int16(), reader.int32()]
      reader.string()
      const response = await respond(key, version, reader)
      if (!response) socket.destroy()
      else if (response.length > 0) socket.write(framed(correlation, response))
    }

    function answer(error: number, message: string | undefined, challenge: string, lifetimeMs: number): Buffer {
      const response = join(int16(error), string(message), bytes(challenge), int64(lifetimeMs))
      return error === 0 ? response : framed(lastCorrelation, response)
    }

    let lastCorrelation = 0
    socket.on('data', (chunk) => {
      buffered = Buffer.concat([buffered, chunk])
      while (buffered.length >= 4 && buffered.length >= 4 + buffered.readInt32BE(0)) {
        const end = 4 + buffered.readInt32BE(0)
        const request = buffered.subarray(4, end)
        buffered = buffered.subarray(end)
        // One after the other, as Kafka does.
        work = work.then(() => {
          lastCorrelation = request.readInt32BE(4)
          return handle(request)
        })
      }
    })
  })

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  port = typeof address === 'object' && address ? address.port : 0
  const dropConnections = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    dropConnections()
    server.close()
  })
  return {
    address: `127.0.0.1:${port}`,
    authentications,
    dropConnections,
    get batches() {
      return batches
    },
    get expired() {
      return expired
    },
  }
}

/** One broker, and one partition for each topic that was asked for. */
function metadata(version: number, body: Reader, port: number): Buffer {
  const topics = body.list(() => body.string())
  const brokers = list([0], (id) => join(int32(id), string('127.0.0.1'), int32(port), string(undefined)))
  const partition = join(int16(0), int32(0), int32(0), list([0], int32), list([0], int32))
  const found = list(topics, (topic) =>
    join(
      int16(0),
      string(topic),
      Buffer.from([0]),
      list([partition], (each) => each),
    ),
  )
  return join(brokers, ...(version >= 2 ? [string('cluster')] : []), int32(0), found)
}

function produce(body: Reader): Buffer {
  body.string()
  body.int16()
  body.int32()
  const topics = body.list(() => {
    const name = body.string()
    const partitions = body.list(() => {
      const partition = body.int32()
      body.bytes()
      return partition
    })
    return { name, partitions }
  })
  const stored = (partition: number) => join(int32(partition), int16(0), int64(0), int64(-1))
  return join(
    list(topics, ({ name, partitions }) => join(string(name), list(partitions, stored))),
    int32(0),
  )
}

/** Reads the types of Kafka's protocol. */
class Reader {
  #at = 0
  constructor(readonly buffer: Buffer) {}

  int16(): number {
    this.#at += 2
    return this.buffer.readInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.buffer.readInt32BE(this.#at - 4)
  }

  string(): string | undefined {
    const length = this.int16()
    return length < 0 ? undefined : this.#take(length).toString()
  }

  bytes(): Buffer {
    return this.#take(Math.max(0, this.int32()))
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: Math.max(0, this.int32()) }, read)
  }

  #take(length: number): Buffer {
    this.#at += length
    return this.buffer.subarray(this.#at - length, this.#at)
  }
}

function framed(correlation: number, response: Buffer): Buffer {
  return join(int32(response.length + 4), int32(correlation), response)
}

function join(...buffers: readonly Buffer[]): Buffer {
  return Buffer.concat(buffers)
}

function int16(value: number): Buffer {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

function int64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt(Math.floor(value)))
  return buffer
}

function string(value: string | undefined): Buffer {
  return value === undefined ? int16(-1) : join(int16(Buffer.byteLength(value)), Buffer.from(value))
}

function bytes(value: string): Buffer {
  return join(int32(Buffer.byteLength(value)), Buffer.from(value))
}

function list<T>(items: readonly T[], write: (item: T) => Buffer): Buffer {
  return join(int32(items.length), ...items.map(write))
}
