import {
  type ClientOptions,
  credentials,
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServiceClientConstructor,
  status,
} from '@grpc/grpc-js'
import { fromJSON } from '@grpc/proto-loader'
import type { IdentityProvider } from '@tokenward/identity-provider'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import selfsigned from 'selfsigned'
import { onTestFinished } from 'vitest'

const message = { requestType: 'Message', responseType: 'Message', comment: '' }
const number = (id: number) => ({ type: 'int32', id })
const nested = (id: number) => ({ type: 'Message', id })

/** What a `.proto` file says. */
const definition = fromJSON({
  nested: {
    company: {
      nested: {
        Message: { fields: { id: number(1), count: number(2), number: number(3), echo: nested(4), got: nested(5) } },
        Invoices: {
          methods: {
            Get: message,
            List: { ...message, responseStream: true },
            Upload: { ...message, requestStream: true },
            Chat: { ...message, requestStream: true, responseStream: true },
          },
        },
      },
    },
  },
})
const { company } = loadPackageDefinition(definition) as unknown as { company: { Invoices: ServiceClientConstructor } }

export const InvoiceClient = company.Invoices
export type InvoiceClient = InstanceType<typeof InvoiceClient>

/** A call that reached the server. */
interface SeenCall {
  readonly path: string
  readonly token: string | undefined
  readonly metadata: Metadata
  accepted: boolean
}

/** A gRPC server that demands a token of the authorization server. */
export interface InvoiceServer {
  readonly address: string
  readonly calls: SeenCall[]
  /** The tokens of the calls, each once, in order. */
  tokens(): readonly (string | undefined)[]
  /** Whether it rejects every token. */
  rejectsAll: boolean
  /** Whether it sends its metadata before it rejects a token. */
  beginsBeforeRejecting: boolean
  /** What it says in `www-authenticate` when it rejects a token. */
  challenge?: string
  /** Called before it rejects a token. */
  rejecting?: () => void
  /** The statuses that the next calls with a valid token end with, in place of a response. */
  readonly failures: number[]
  /** The messages of the unary calls that it has handled. */
  readonly messages: unknown[]
  /** The certificate of a server with TLS. */
  readonly certificate: Buffer | undefined
}

/** Starts the server. It ends with the test. */
export async function startInvoiceServer(provider: IdentityProvider, { tls = false } = {}): Promise<InvoiceServer> {
  const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))

  async function isValid(token: string | undefined): Promise<boolean> {
    if (token === undefined) return false
    try {
      await jwtVerify(token, keys, { issuer: provider.issuer, audience: 'urn:invoice' })
    } catch {
      return false
    }
    // The list of revoked tokens.
    return provider.issuedToken(String(decodeJwt(token).jti))?.revokedAt === undefined
  }

  const authenticate: ServerInterceptor = ({ path }, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        next({
          async onReceiveMetadata(metadata, proceed) {
            const [, token] = /^Bearer (\S+)$/.exec(metadata.get('authorization').join()) ?? []
            const seen: SeenCall = { path, token, metadata, accepted: false }
            server.calls.push(seen)
            seen.accepted = !server.rejectsAll && (await isValid(token))
            if (!seen.accepted) {
              server.rejecting?.()
              if (server.beginsBeforeRejecting) call.sendMetadata(metadata)
              const details = new Metadata()
              if (server.challenge !== undefined) details.set('www-authenticate', server.challenge)
              call.sendStatus({ code: status.UNAUTHENTICATED, details: 'the token is not valid', metadata: details })
              return
            }
            const code = server.failures.shift()
            if (code !== undefined) call.sendStatus({ code, details: 'a failure' })
            else proceed(metadata)
          },
          onReceiveHalfClose: (proceed) => proceed(),
        })
      },
    })

  const implementation = new Server({ interceptors: [authenticate] })
  implementation.addService(InvoiceClient.service, {
    get(call: { request: unknown }, callback: (error: null, value: unknown) => void) {
      server.messages.push(call.request)
      callback(null, { got: call.request })
    },
    list(call: { request: { count: number }; write(value: unknown): void; end(): void }) {
      for (let number = 1; number <= call.request.count; number++) call.write({ number })
      call.end()
    },
    upload(call: AsyncIterable<unknown>, callback: (error: null, value: unknown) => void) {
      void (async () => {
        let count = 0
        for await (const _message of call) count++
        callback(null, { count })
      })()
    },
    chat(call: { on(event: string, listener: (value?: unknown) => void): void; write(v: unknown): void; end(): void }) {
      call.on('data', (value) => call.write({ echo: value }))
      call.on('end', () => call.end())
    },
  })

  const certificate = tls
    ? await selfsigned.generate([{ name: 'commonName', value: 'localhost' }], {
        algorithm: 'sha256',
        extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'localhost' }] }],
      })
    : undefined
  const serverCredentials = certificate
    ? ServerCredentials.createSsl(null, [
        { cert_chain: Buffer.from(certificate.cert), private_key: Buffer.from(certificate.private) },
      ])
    : ServerCredentials.createInsecure()
  const port = await new Promise<number>((resolve, reject) =>
    implementation.bindAsync('127.0.0.1:0', serverCredentials, (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  )
  onTestFinished(() => implementation.forceShutdown())
  const server: InvoiceServer = {
    address: `localhost:${port}`,
    calls: [],
    tokens: () => [...new Set(server.calls.map(({ token }) => token))],
    rejectsAll: false,
    beginsBeforeRejecting: false,
    failures: [],
    messages: [],
    certificate: certificate && Buffer.from(certificate.cert),
  }
  return server
}

/** A client of the server. It is closed with the test. */
export function connect(server: InvoiceServer, options: ClientOptions): InvoiceClient {
  const channelCredentials = server.certificate
    ? credentials.createSsl(server.certificate)
    : credentials.createInsecure()
  const client = new InvoiceClient(server.address, channelCredentials, options)
  onTestFinished(() => client.close())
  return client
}
