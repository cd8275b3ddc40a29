import type { CallOptions, Client, Metadata, ServiceError } from '@grpc/grpc-js'
import { createTokenManager, type TokenManagerOptions } from '@tokenward/core'
import { createGrpcOptions, type GrpcOptions } from '@tokenward/grpc'
import type { IdentityProviderOptions } from '@tokenward/identity-provider'
import { startProvider } from '@tokenward/test-support'
import { onTestFinished } from 'vitest'
import { connect, startInvoiceServer } from './invoice-server'

interface Setup {
  readonly provider?: IdentityProviderOptions
  readonly manager?: Omit<TokenManagerOptions, 'clients'>
  readonly options?: GrpcOptions
  readonly tls?: boolean
}

/** An authorization server, a gRPC server, and a client of both. Everything ends with the test. */
export async function setup({ provider: providerOptions, manager, options, tls = false }: Setup = {}) {
  const provider = await startProvider(providerOptions)
  const gate = new Gate()
  const { clientId, clientSecret } = provider.client('invoice.client')
  const definition = { issuer: provider.issuer, clientId, clientSecret, scope: 'invoice', fetch: gate.fetch }
  const tokens = createTokenManager({ ...manager, clients: { 'invoice.client': definition } })
  onTestFinished(() => tokens.close())
  const server = await startInvoiceServer(provider, { tls })
  const client = connect(server, createGrpcOptions(tokens, 'invoice.client', options))
  return { provider, tokens, server, client, gate }
}

/** A way to the authorization server that a test can close for a while. */
class Gate {
  #opened = Promise.resolve()
  /** How many requests have come to the gate. */
  requests = 0

  /** Keeps requests back until the returned function is called. */
  close(): () => void {
    let open = () => {}
    this.#opened = new Promise((resolve) => {
      open = resolve
    })
    return () => open()
  }

  fetch: typeof fetch = async (...args) => {
    this.requests++
    await this.#opened
    return fetch(...args)
  }
}

/** What became of a call. */
export interface Outcome {
  readonly error?: ServiceError & { readonly cause?: unknown }
  readonly responses: readonly unknown[]
}

type Callback = (error: ServiceError | null, value?: unknown) => void
type Stream = NodeJS.ReadWriteStream & { write(value: unknown): boolean }

/** Makes a call of each kind. Never rejects. */
export const calls: Readonly<
  Record<string, (client: Client, ...more: (Metadata | CallOptions)[]) => Promise<Outcome>>
> = {
  unary: (client, ...more) => called((done) => invoke(client, 'get', { id: 1 }, ...more, done)),
  'client streaming': (client, ...more) =>
    called((done) => {
      const call = invoke(client, 'upload', ...more, done) as Stream
      for (const number of [1, 2, 3]) call.write({ number })
      call.end()
    }),
  'server streaming': (client, ...more) => streamed(invoke(client, 'list', { count: 3 }, ...more) as Stream),
  bidirectional: (client, ...more) => {
    const call = invoke(client, 'chat', ...more) as Stream
    for (const number of [1, 2, 3]) call.write({ number })
    call.end()
    return streamed(call)
  },
}

/** Makes a unary call. */
export function get(client: Client, ...more: (Metadata | CallOptions)[]): Promise<Outcome> {
  return called((done) => invoke(client, 'get', { id: 1 }, ...more, done))
}

export function invoke(client: Client, method: string, ...args: unknown[]): unknown {
  return (client as unknown as Record<string, (...all: unknown[]) => unknown>)[method]?.(...args)
}

function called(call: (done: Callback) => unknown): Promise<Outcome> {
  return new Promise((resolve) => {
    call((error, value) => resolve(error ? { error, responses: [] } : { responses: [value] }))
  })
}

function streamed(call: Stream): Promise<Outcome> {
  const responses: unknown[] = []
  return new Promise((resolve) => {
    call.on('data', (value: unknown) => responses.push(value))
    call.on('error', (error: unknown) => resolve({ error: error as ServiceError, responses }))
    call.on('end', () => resolve({ responses }))
  })
}
