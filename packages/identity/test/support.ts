import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IdentityError, type IdentityTokenSupplier } from '@tokenward/identity'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { onTestFinished } from 'vitest'

/** A request that a platform's endpoint got. */
export interface PlatformRequest {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface PlatformReply {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | object
}

/** `hang`: no response, until the test ends. `reset`: the connection breaks. */
export type PlatformHandler = (request: PlatformRequest) => PlatformReply | 'hang' | 'reset' | Promise<PlatformReply>

/** A local HTTP server that stands for a platform. It is closed when the test ends. */
export async function startPlatform(handler: PlatformHandler) {
  const requests: PlatformRequest[] = []
  const server = createServer(async (request, response) => {
    const received = await read(request)
    requests.push(received)
    send(await handler(received), request, response)
  })
  const origin = await listen(server)
  return { origin, requests }
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function read(request: IncomingMessage): Promise<PlatformRequest> {
  const url = new URL(request.url ?? '/', 'http://platform')
  let body = ''
  for await (const chunk of request) body += String(chunk)
  const query = Object.fromEntries(url.searchParams)
  return { method: request.method ?? '', path: url.pathname, query, headers: request.headers, body }
}

function send(reply: PlatformReply | 'hang' | 'reset', request: IncomingMessage, response: ServerResponse): void {
  if (reply === 'hang') return
  if (reply === 'reset') {
    request.socket.destroy()
    return
  }
  const { status = 200, headers = {}, body = '' } = reply
  response.writeHead(status, {
    'content-type': typeof body === 'string' ? 'text/plain' : 'application/json',
    ...headers,
  })
  response.end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** What signs the tokens of a platform. */
export interface Signer {
  readonly publicJwk: JWK
  /** A JWT of five minutes, as the client assertion of `subject` (RFC 7523 §3): each has a `jti` of its own. */
  sign(claims: { subject: string; audience: string; expiresInSeconds?: number }): Promise<string>
}

export async function createSigner(): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const publicJwk = { ...(await exportJWK(publicKey)), alg: 'ES256', kid: 'platform' }
  return {
    publicJwk,
    sign: ({ subject, audience, expiresInSeconds = 300 }) =>
      new SignJWT({ jti: crypto.randomUUID() })
        .setProtectedHeader({ alg: 'ES256', kid: 'platform' })
        .setIssuer(subject)
        .setSubject(subject)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(Math.floor(Date.now() / 1_000) + expiresInSeconds)
        .sign(privateKey),
  }
}

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** An unsigned JWT: suppliers do not verify, so a test of them needs no key. */
export function jwt(claims: object = {}): string {
  const exp = Math.floor(Date.now() / 1_000) + 300
  return `${encode({ alg: 'ES256' })}.${encode({ exp, jti: crypto.randomUUID(), ...claims })}.c2lnbmF0dXJl`
}

/** A file in a folder of its own, which is deleted when the test ends. */
export function temporaryFile(content: string, name = 'token'): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenward-identity-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

/** Calls a supplier as core does. */
export const call = (supplier: IdentityTokenSupplier, audience = 'https://login.company.com', signal?: AbortSignal) =>
  supplier({ audience, signal })

/** The error of a call that fails. */
export async function failure(supplier: IdentityTokenSupplier, signal?: AbortSignal): Promise<IdentityError> {
  const error = await call(supplier, undefined, signal).then(
    (token) => new Error(`no failure, but the token ${token}`),
    (thrown) => thrown,
  )
  if (!(error instanceof IdentityError)) throw error
  return error
}

/** A clock whose waits end at once: retries need no time. Time limits do not pass. */
export const patientClock = {
  now: () => Date.now(),
  setTimeout(callback: () => void, delayMs: number) {
    const timer = delayMs < 5_000 ? setImmediate(callback) : undefined
    return () => clearImmediate(timer)
  },
}
