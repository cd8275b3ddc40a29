import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js'
import { createTokenManager } from '@tokenward/core'
import { fileToken, SpiffeJwt, spiffeToken } from '@tokenward/identity'
import { decodeJwt, jwtVerify } from 'jose'
import protobuf from 'protobufjs'
import { expect, onTestFinished, test } from 'vitest'
import { call, createSigner, failure, jwt, patientClock, startPlatform, temporaryFile } from './support'

// The messages of the Workload API, as protobufjs encodes them: independent of this project.
const { Field, Type } = protobuf
const JwtSvidRequest = new Type('JWTSVIDRequest')
  .add(new Field('audience', 1, 'string', 'repeated'))
  .add(new Field('spiffeId', 2, 'string'))
const JwtSvid = new Type('JWTSVID')
  .add(new Field('spiffeId', 1, 'string'))
  .add(new Field('svid', 2, 'string'))
  .add(new Field('hint', 3, 'string'))
const JwtSvidResponse = new Type('JWTSVIDResponse').add(new Field('svids', 1, 'JWTSVID', 'repeated')).add(JwtSvid)

interface SvidRequest {
  readonly audience: string[]
  readonly spiffeId?: string
}

interface Svid {
  readonly spiffeId: string
  readonly svid: string
  readonly hint?: string
}

/** A refusal with a gRPC status. */
class Refusal extends Error {
  constructor(readonly code: status) {
    super('secret details')
  }
}

/** A Workload API by the gRPC server of Google, on a socket. `bind` is what it listens on. */
async function startWorkloadApi(svidsFor: (request: SvidRequest) => Svid[] | Promise<Svid[]>, bind?: string) {
  const requests: SvidRequest[] = []
  const path = temporaryFile('', 'agent.sock')
  rmSync(path)
  const server = new Server()
  server.addService(
    {
      FetchJWTSVID: {
        path: '/SpiffeWorkloadAPI/FetchJWTSVID',
        requestStream: false,
        responseStream: false,
        requestSerialize: (value: object) => Buffer.from(JwtSvidRequest.encode(value).finish()),
        requestDeserialize: (bytes: Buffer) =>
          JwtSvidRequest.toObject(JwtSvidRequest.decode(bytes), { defaults: false }),
        responseSerialize: (value: object) => Buffer.from(JwtSvidResponse.encode(value).finish()),
        responseDeserialize: (bytes: Buffer) => JwtSvidResponse.decode(bytes),
      },
    },
    {
      async FetchJWTSVID({ request, metadata }: ServerUnaryCall<SvidRequest, object>, respond: sendUnaryData<object>) {
        requests.push(request)
        // The specification demands the header, against forged requests.
        if (metadata.get('workload.spiffe.io')[0] !== 'true') {
          return respond({
            code: status.INVALID_ARGUMENT,
            details: 'security header missing',
            metadata: new Metadata(),
          })
        }
        try {
          respond(null, { svids: await svidsFor(request) })
        } catch (error) {
          respond({ code: error instanceof Refusal ? error.code : status.UNKNOWN, details: String(error) })
        }
      },
    },
  )
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(bind ?? `unix:${path}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    )
  })
  onTestFinished(() => server.forceShutdown())
  return { path, socket: bind ? `tcp://127.0.0.1:${port}` : `unix://${path}`, requests }
}

const ID = 'spiffe://example.org/invoice'

test('a JWT-SVID of the Workload API, by the socket in SPIFFE_ENDPOINT_SOCKET', async () => {
  const issued: string[] = []
  const api = await startWorkloadApi(({ audience: [aud] }) => [
    { spiffeId: ID, svid: issued[issued.push(jwt({ sub: ID, aud })) - 1] ?? '', hint: 'internal' },
    { spiffeId: 'spiffe://example.org/other', svid: jwt() },
  ])
  const supplier = spiffeToken({ env: { SPIFFE_ENDPOINT_SOCKET: api.socket } })
  expect([await call(supplier, 'https://as.example'), await call(supplier, 'https://as.example')]).toEqual(issued)
  expect(api.requests).toEqual([{ audience: ['https://as.example'] }, { audience: ['https://as.example'] }])
})

test('over TCP, for one of several identities, and with a token of many bytes', async () => {
  const other = { spiffeId: 'spiffe://example.org/other', svid: jwt({ sub: 'other', padding: 'x'.repeat(20_000) }) }
  const api = await startWorkloadApi(() => [{ spiffeId: ID, svid: jwt() }, other], '127.0.0.1:0')
  const supplier = spiffeToken({ socket: api.socket, spiffeId: other.spiffeId, audience: 'own' })
  expect(await call(supplier)).toBe(other.svid)
  expect(api.requests).toEqual([{ audience: ['own'], spiffeId: other.spiffeId }])
  expect(await failure(spiffeToken({ socket: api.socket, spiffeId: 'spiffe://example.org/no' }))).toMatchObject({
    reason: 'refused',
  })
})

test('a workload without an identity', async () => {
  const api = await startWorkloadApi(() => {
    throw new Refusal(status.PERMISSION_DENIED)
  })
  expect((await failure(spiffeToken({ socket: api.socket }))).message).toBe(
    'SPIFFE: the Workload API has no identity for this workload (PermissionDenied)',
  )
  const none = await startWorkloadApi(() => [])
  expect(await failure(spiffeToken({ socket: none.socket }))).toMatchObject({ reason: 'refused' })
})

test('a Workload API that is not available yet is asked again', async () => {
  let refusals = 2
  const api = await startWorkloadApi(() => {
    if (refusals-- > 0) throw new Refusal(status.UNAVAILABLE)
    return [{ spiffeId: ID, svid: jwt() }]
  })
  expect(await call(spiffeToken({ socket: api.socket, clock: patientClock }))).toContain('.')
  expect(api.requests).toHaveLength(3)
  refusals = 99
  const error = await failure(spiffeToken({ socket: api.socket, clock: patientClock }))
  expect(error.message).toBe('SPIFFE: the Workload API responded with the gRPC status 14')
})

test.each([
  ['no JWT', 'secret-password', 'invalid_response'],
  ['an expired one', jwt({ exp: Math.floor(Date.now() / 1_000) - 300 }), 'expired'],
])('a JWT-SVID that is %s is refused, and not shown', async (_, svid, reason) => {
  const api = await startWorkloadApi(() => [{ spiffeId: ID, svid }])
  const error = await failure(spiffeToken({ socket: api.socket }))
  expect(error.reason).toBe(reason)
  expect(error.message).not.toContain(svid)
})

test('no response: the call ends at the time limit, and at an abort', async () => {
  const api = await startWorkloadApi(() => new Promise(() => {}))
  expect(await failure(spiffeToken({ socket: api.socket, timeoutMs: 50 }))).toMatchObject({ reason: 'timeout' })
  // A busy machine may not have sent the first request in that time.
  const before = api.requests.length
  const controller = new AbortController()
  const aborted = call(spiffeToken({ socket: api.socket, timeoutMs: 600_000 }), undefined, controller.signal)
  await expect.poll(() => api.requests.length).toBeGreaterThan(before)
  controller.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
})

test('where there is no Workload API', async () => {
  expect((await failure(spiffeToken({ env: {} }))).message).toBe(
    'SPIFFE: not running on SPIFFE: environment variable SPIFFE_ENDPOINT_SOCKET is not set',
  )
  const path = temporaryFile('', 'gone.sock')
  rmSync(path)
  expect((await failure(spiffeToken({ socket: `unix://${path}` }))).message).toBe(
    'SPIFFE: the connection to the Workload API failed (ENOENT)',
  )
})

test.each([
  'unix:relative',
  'unix:///run/%zz.sock',
  'unix://host/path',
  'tcp://workload.example:80',
  'tcp://127.0.0.1',
  '/tmp/x',
  'http://127.0.0.1:1',
])('the socket %s is refused', async (socket) => {
  expect((await failure(spiffeToken({ socket }))).message).toBe(
    'SPIFFE: socket is neither unix:///path nor tcp://IP:PORT',
  )
})

test.each<[string, Buffer]>([
  ['garbage', Buffer.from('HTTP/1.1 200 OK\r\n\r\nsecret')],
  ['nothing', Buffer.alloc(0)],
])('a server that is no gRPC server and sends %s: the call fails', async (_, bytes) => {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.end(bytes)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : 0
  const error = await failure(spiffeToken({ socket: `tcp://127.0.0.1:${port}` }))
  expect(error.reason).toBe('network_error')
  expect(error.message).not.toContain('secret')
})

/** An authorization server that takes JWT-SVIDs as the draft says: by their own assertion type, verified, for its issuer. */
async function startSpiffeAuthorizationServer() {
  const signer = await createSigner()
  const bodies: Record<string, string>[] = []
  const server = await startPlatform(async ({ body }) => {
    const form = Object.fromEntries(new URLSearchParams(body))
    bodies.push(form)
    try {
      if (form.client_assertion_type !== 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe')
        throw new Error('type')
      const { payload } = await jwtVerify(form.client_assertion ?? '', signer.publicJwk, { audience: server.origin })
      if (payload.sub !== form.client_id) throw new Error('sub')
      return { body: { access_token: `token-${bodies.length}`, token_type: 'Bearer', expires_in: 300 } }
    } catch {
      return { status: 401, body: { error: 'invalid_client', error_description: form.client_assertion } }
    }
  })
  return { ...server, ...signer, bodies }
}

test('SpiffeJwt sends the JWT-SVID with its own assertion type, a new one for each request', async () => {
  const server = await startSpiffeAuthorizationServer()
  const api = await startWorkloadApi(async ({ audience: [audience = ''] }) => [
    { spiffeId: ID, svid: await server.sign({ subject: ID, audience }) },
  ])
  const clientAuth = SpiffeJwt(spiffeToken({ socket: api.socket, audience: server.origin }))
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: `${server.origin}/token`, clientId: ID, clientAuth } },
  })
  onTestFinished(() => tokens.close())
  expect((await tokens.getAccessToken('c')).value).toBe('token-1')
  expect((await tokens.getAccessToken('c', { forceRenewal: true })).value).toBe('token-2')
  const assertions = server.bodies.map(({ client_assertion }) => client_assertion ?? '')
  expect(new Set(assertions.map((each) => decodeJwt(each).jti)).size).toBe(2)
  expect(server.bodies[0]).toEqual({
    grant_type: 'client_credentials',
    client_id: ID,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
    client_assertion: assertions[0],
  })
})

test('SpiffeJwt: a refusal that quotes the JWT-SVID does not bring it into the error', async () => {
  const server = await startSpiffeAuthorizationServer()
  const svid = jwt()
  const clientAuth = SpiffeJwt(fileToken(temporaryFile(svid)))
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: `${server.origin}/token`, clientId: ID, clientAuth } },
  })
  onTestFinished(() => tokens.close())
  const error = await tokens.getAccessToken('c').catch((thrown) => thrown)
  expect(error).toMatchObject({ error: 'invalid_client' })
  for (const part of svid.split('.')) expect(error.message).not.toContain(part)
})
