import { builtin } from './builtin'
import { MOST_CHARACTERS } from './checked-token'

export interface PlatformRequest {
  readonly url: URL
  readonly method?: 'GET' | 'POST' | 'PUT' | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
}

export interface PlatformResponse {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** Sends one request. It follows no redirect, and ends when the signal aborts. */
export type Transport = (request: PlatformRequest, signal: AbortSignal) => Promise<PlatformResponse>

/** A response is longer than any token can be. */
export class ResponseTooLong extends Error {}

/** A token and what is around it. */
const MOST_BYTES = 2 * MOST_CHARACTERS

/** A transport by a `fetch`. */
export function fetchTransport(send: typeof fetch): Transport {
  return async ({ url, method = 'GET', headers, body }, signal) => {
    const init: RequestInit = { method, headers, redirect: 'manual', signal }
    if (body !== undefined) init.body = body
    const response = await send(url.href, init)
    const chunks = new Chunks()
    if (response.body) {
      const reader = response.body.getReader()
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        if (chunks.add(read.value)) continue
        await reader.cancel().catch(() => {})
        throw new ResponseTooLong()
      }
    }
    return { status: response.status, headers: response.headers, body: chunks.text() }
  }
}

/**
 * A transport to an endpoint of the machine itself, which goes through no proxy: not one of the environment, and not one that the
 * program has set for its `fetch`. Undefined where the platform has no HTTP client but `fetch`.
 */
export function directTransport(): Transport | undefined {
  const http = builtin((process) => process.getBuiltinModule('node:http'))
  const https = builtin((process) => process.getBuiltinModule('node:https'))
  if (!http || !https) return undefined
  return ({ url, method = 'GET', headers, body }, signal) =>
    new Promise((resolve, reject) => {
      const { request, Agent } = url.protocol === 'https:' ? https : http
      // The global agent may have a proxy, and in Deno a new one has that of the environment.
      const agent = new Agent({ proxyEnv: {} })
      const sent = request(url, { method, headers: { ...headers, connection: 'close' }, agent, signal })
      sent.once('error', reject)
      sent.once('response', (response) => {
        const chunks = new Chunks()
        response.on('data', (chunk: Uint8Array) => {
          if (!chunks.add(chunk)) sent.destroy(new ResponseTooLong())
        })
        response.once('error', reject)
        response.once('aborted', () => reject(new TypeError('the response ended early')))
        response.once('end', () => {
          const pairs = Object.entries(response.headers).map(([name, value]): [string, string] => [name, String(value)])
          resolve({ status: response.statusCode ?? 0, headers: new Headers(pairs), body: chunks.text() })
        })
      })
      sent.end(body)
    })
}

/** The body of a response, as far as it is read. */
class Chunks {
  readonly #chunks: Uint8Array[] = []
  #bytes = 0

  /** Whether the body is not too long yet. */
  add(chunk: Uint8Array): boolean {
    this.#bytes += chunk.length
    if (this.#bytes > MOST_BYTES) return false
    this.#chunks.push(chunk)
    return true
  }

  text(): string {
    const decoder = new TextDecoder()
    return this.#chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join('') + decoder.decode()
  }
}
