import type { IdentityTokenOptions, IdentityTokenSupplier } from './identity-token'
import { connectionCode } from './internal/ask'
import { type Attempt, attempt } from './internal/attempt'
import { checkedToken } from './internal/checked-token'
import { callGrpc, type GrpcAddress } from './internal/grpc'
import { checkOptions } from './internal/options'
import { decodeFields, encodeStrings } from './internal/protobuf'

/** Options of {@link spiffeToken}. */
export interface SpiffeTokenOptions extends IdentityTokenOptions {
  /** The audience of the JWT-SVID. Default: the authorization server's issuer, or what a preset passes. */
  audience?: string | undefined
  /** The SPIFFE ID, for a workload that has several. Default: the first one. */
  spiffeId?: string | undefined
  /** The Workload API: `unix:///path` or `tcp://127.0.0.1:8081`. Default: `SPIFFE_ENDPOINT_SOCKET`. */
  socket?: string | undefined
}

const METHOD = '/SpiffeWorkloadAPI/FetchJWTSVID'
const METADATA = { 'workload.spiffe.io': 'true' }
const VARIABLE = 'SPIFFE_ENDPOINT_SOCKET'
const PERMISSION_DENIED = 7
const UNAVAILABLE = 14
const MOST_TRIES = 3
const FIRST_PAUSE_MS = 200

/**
 * A JWT-SVID from the SPIFFE Workload API, which SPIRE's agent and other implementations offer on a socket. It needs a runtime with
 * Node's HTTP/2 client. Where there is none, or no socket, use `fileToken` with the file that spiffe-helper writes.
 *
 * - https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Workload_API.md
 * - https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE_Workload_Endpoint.md
 *
 * @example
 * ```ts
 * clientAuth: SpiffeJwt(spiffeToken())
 * ```
 */
export function spiffeToken(options: SpiffeTokenOptions = {}): IdentityTokenSupplier {
  checkOptions('spiffeToken', options, { audience: 'text', spiffeId: 'text', socket: 'text' })
  const { spiffeId } = options
  return (context) =>
    attempt('SPIFFE', options, context, async (current) => {
      const address = addressOf(current, options.socket)
      const fields: [number, string][] = [[1, options.audience ?? context.audience]]
      if (spiffeId !== undefined) fields.push([2, spiffeId])
      const response = await fetchSvids(current, address, encodeStrings(fields))
      const svids = svidsOf(current, response)
      const svid = spiffeId === undefined ? svids[0] : svids.find(({ id }) => id === spiffeId)
      if (!svid) throw current.error('refused', 'the Workload API has no such identity for this workload')
      return checkedToken(current, svid.token, { source: 'the JWT-SVID' })
    })
}

async function fetchSvids(attempt: Attempt, address: GrpcAddress, message: Uint8Array): Promise<Uint8Array> {
  for (let tries = 1; ; tries++) {
    const result = await call(attempt, address, message)
    if ('message' in result) return result.message
    const { status } = result
    if (status === PERMISSION_DENIED) {
      throw attempt.error('refused', 'the Workload API has no identity for this workload (PermissionDenied)')
    }
    if (status !== UNAVAILABLE || tries >= MOST_TRIES) {
      throw attempt.error('refused', `the Workload API responded with the gRPC status ${status}`)
    }
    await attempt.sleep(FIRST_PAUSE_MS * 2 ** (tries - 1))
  }
}

async function call(attempt: Attempt, address: GrpcAddress, message: Uint8Array) {
  try {
    return await callGrpc(attempt, { address, method: METHOD, metadata: METADATA, message })
  } catch (error) {
    if (attempt.signal.aborted) throw attempt.signal.reason
    const code = connectionCode(error)
    const isAbsent = code === 'ENOENT' || code === 'ECONNREFUSED'
    const message = `the connection to the Workload API failed${code ? ` (${code})` : ''}`
    throw attempt.error(isAbsent ? 'not_available' : 'network_error', message)
  }
}

function svidsOf(attempt: Attempt, response: Uint8Array): { id: string; token: string }[] {
  const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes ?? new Uint8Array())
  try {
    return decodeFields(response)
      .filter(({ number }) => number === 1)
      .map(({ bytes }) => {
        const fields = decodeFields(bytes)
        const field = (number: number) => text(fields.findLast((each) => each.number === number)?.bytes)
        return { id: field(1), token: field(2) }
      })
  } catch {
    throw attempt.error('invalid_response', 'the response of the Workload API cannot be decoded')
  }
}

/** Where the Workload API listens (SPIFFE Workload Endpoint §4): a socket, or an IP address and a port. */
function addressOf(attempt: Attempt, socket: string | undefined): GrpcAddress {
  const given = socket ?? attempt.variable(VARIABLE)
  if (given === undefined) throw attempt.elsewhere(VARIABLE)
  const url = URL.canParse(given) ? new URL(given) : undefined
  if (url?.protocol === 'unix:' && /^\/./.test(url.pathname) && url.host === '') {
    try {
      return { path: decodeURIComponent(url.pathname) }
    } catch {
      // A `%` that is not part of a percent-encoding.
    }
  }
  const host = url?.hostname.replace(/^\[|\]$/g, '') ?? ''
  if (url?.protocol === 'tcp:' && /^[\d.]+$|:/.test(host) && url.port !== '') return { host, port: Number(url.port) }
  throw attempt.error(
    'invalid_response',
    `${socket === undefined ? VARIABLE : 'socket'} is neither unix:///path nor tcp://IP:PORT`,
  )
}
