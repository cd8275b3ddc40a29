import type { IncomingHttpHeaders } from 'node:http'

/** A request that reached an API. */
export interface RecordedApiRequest {
  /** When, in milliseconds of the monotonic clock (`performance.now`). */
  readonly at: number
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** The client's certificate, in DER. */
  readonly certificate: Buffer | undefined
  /** The status of the response; 0 while there is none. */
  status: number
  /** The `jti` of the token it carried, if the token could be read. */
  tokenId?: string
  /** The client that the verified token was issued to. */
  clientId?: string
}
