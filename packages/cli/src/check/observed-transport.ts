/** One response of the authorization server. */
export interface ObservedResponse {
  readonly url: string
  readonly method: string
  readonly status: number
  /** The `Date` header minus the time of this machine, in milliseconds. Undefined when there is none. */
  readonly clockOffsetMs: number | undefined
  readonly wwwAuthenticate: string | null
  /** The document, for a GET that got a JSON object of moderate size. */
  readonly json: Readonly<Record<string, unknown>> | undefined
}

const LONGEST_DOCUMENT = 1_048_576

/** Remembers what the authorization server responded, apart from token responses. */
export class ObservedTransport {
  readonly responses: ObservedResponse[] = []

  wrap(transport: typeof fetch): typeof fetch {
    return async (input, init) => {
      const response = await transport(input, init)
      const method = (init?.method ?? 'GET').toUpperCase()
      const date = Date.parse(response.headers.get('date') ?? '')
      this.responses.push({
        url: String(input instanceof Request ? input.url : input),
        method,
        status: response.status,
        clockOffsetMs: Number.isNaN(date) ? undefined : date - Date.now(),
        wwwAuthenticate: response.headers.get('www-authenticate'),
        json: method === 'GET' ? await document(response.clone()) : undefined,
      })
      return response
    }
  }

  /** The metadata of the issuer that was discovered last. */
  get metadata(): ObservedResponse['json'] {
    return this.responses.findLast(({ method, status, json }) => method === 'GET' && status === 200 && json)?.json
  }

  /** How far this machine's clock is ahead of the server's, in seconds. `Date` has whole seconds. */
  get clockAheadSeconds(): number | undefined {
    const offset = this.responses.findLast(({ clockOffsetMs }) => clockOffsetMs !== undefined)?.clockOffsetMs
    return offset === undefined ? undefined : Math.round(-offset / 1_000)
  }
}

async function document(response: Response): Promise<ObservedResponse['json']> {
  if (!response.body) return undefined
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of response.body) {
      length += chunk.byteLength
      if (length > LONGEST_DOCUMENT) return undefined
      chunks.push(chunk)
    }
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined
  }
}
