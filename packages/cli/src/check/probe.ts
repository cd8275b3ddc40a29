import { lookup } from 'node:dns/promises'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, type DetailedPeerCertificate, type TLSSocket } from 'node:tls'
import type { TlsSettings } from '../definition/transport'

/** A probe that failed. `code` is the platform's. */
export interface ProbeFailure {
  readonly code: string
}

/** What the certificate of a server says. */
export interface ServerCertificate {
  readonly protocol: string | null
  readonly subject: string
  readonly issuer: string
  readonly names: readonly string[]
  readonly validFrom: Date
  readonly validTo: Date
  readonly fingerprint256: string
  /** Why the platform's `fetch` does not accept it. */
  readonly problem: string | undefined
}

/** The host of a URL without the brackets of IPv6. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[|\]$/g, '')
}

export function portOf({ port, protocol }: URL): number {
  return Number(port || (protocol === 'https:' ? 443 : 80))
}

/** The addresses of a host, as the platform's `fetch` finds them. Undefined for an IP address. */
export async function probeDns(url: URL, timeoutMs: number): Promise<readonly string[] | ProbeFailure | undefined> {
  const host = hostOf(url)
  if (isIP(host) !== 0) return undefined
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<ProbeFailure>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, { code: 'ETIMEDOUT' })
  })
  const found = lookup(host, { all: true }).then(
    (addresses) => addresses.map(({ address }) => address),
    (error) => ({ code: codeOf(error) }),
  )
  return Promise.race([found, limit]).finally(() => clearTimeout(timer))
}

/** Opens a connection and ends it. Undefined: that worked. */
export function probeConnection(url: URL, timeoutMs: number): Promise<ProbeFailure | undefined> {
  const socket = connect({ host: hostOf(url), port: portOf(url), autoSelectFamily: true })
  return settled(socket, 'connect', timeoutMs, () => undefined)
}

/** Makes a TLS handshake, whatever the certificate is, and reads the certificate. */
export function probeTls(url: URL, timeoutMs: number, tls: TlsSettings): Promise<ServerCertificate | ProbeFailure> {
  const host = hostOf(url)
  const { ca, ...rest } = tls
  const socket = connectTls({
    host,
    port: portOf(url),
    ...rest,
    ...(ca && { ca: [...ca] }),
    ...(isIP(host) === 0 && { servername: host }),
    // To read the certificate that is refused. Nothing is sent on this connection.
    rejectUnauthorized: false,
  })
  return settled(socket, 'secureConnect', timeoutMs, () => certificateOf(socket))
}

function certificateOf(socket: TLSSocket): ServerCertificate {
  const certificate: DetailedPeerCertificate = socket.getPeerCertificate(true)
  const { authorizationError } = socket as { authorizationError?: unknown }
  return {
    protocol: socket.getProtocol(),
    subject: nameOf(certificate.subject),
    issuer: nameOf(certificate.issuer),
    names: (certificate.subjectaltname ?? '').split(', ').filter((name) => name !== ''),
    validFrom: new Date(certificate.valid_from),
    validTo: new Date(certificate.valid_to),
    fingerprint256: certificate.fingerprint256,
    problem: authorizationError
      ? String((authorizationError as { code?: unknown }).code ?? authorizationError)
      : undefined,
  }
}

function nameOf(subject: { CN?: string | string[]; O?: string | string[] } | undefined): string {
  return String(subject?.CN ?? subject?.O ?? 'without a name')
}

function settled<T>(socket: Socket, event: string, timeoutMs: number, result: () => T): Promise<T | ProbeFailure> {
  return new Promise((resolve) => {
    const end = (value: T | ProbeFailure) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(value)
    }
    const timer = setTimeout(() => end({ code: 'ETIMEDOUT' }), timeoutMs)
    socket.once(event, () => end(result()))
    // Kept until the end: a second error must not be unhandled.
    socket.on('error', (error) => end({ code: codeOf(error) }))
  })
}

export function codeOf(error: unknown): string {
  const { code, errors } = (error ?? {}) as { code?: unknown; errors?: { code?: unknown }[] }
  return String(code ?? errors?.[0]?.code ?? 'unknown')
}
