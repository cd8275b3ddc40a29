import type { Socket } from 'node:net'

/** What must not be in clear on the wire, by what it is. */
export type Secrets = Readonly<Record<string, string>>

/** Looks for secrets in the bytes that go to and from Redis. */
export class Wire {
  readonly #secrets: readonly { readonly what: string; readonly bytes: Buffer }[]
  readonly #longest: number
  /** The end of what came before on the same connection: a secret may be split. */
  readonly #ends = new WeakMap<Socket, Buffer>()
  #found = new Set<string>()
  #chunks = 0
  bytes = 0

  constructor(secrets: Secrets) {
    this.#secrets = Object.entries(secrets).map(([what, text]) => ({ what, bytes: Buffer.from(text) }))
    this.#longest = Math.max(1, ...this.#secrets.map(({ bytes }) => bytes.length))
  }

  readonly look = (chunk: Buffer, from: Socket): void => {
    this.#chunks++
    this.bytes += chunk.length
    const text = Buffer.concat([this.#ends.get(from) ?? Buffer.alloc(0), chunk])
    for (const { what, bytes } of this.#secrets) if (text.includes(bytes)) this.#found.add(what)
    this.#ends.set(from, text.subarray(Math.max(0, text.length - this.#longest + 1)))
  }

  /** How many chunks came since the last time, and what was found in them. */
  take(): { readonly chunks: number; readonly found: readonly string[] } {
    const taken = { chunks: this.#chunks, found: [...this.#found] }
    this.#chunks = 0
    this.#found = new Set()
    return taken
  }
}
