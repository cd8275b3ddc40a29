import { type InterceptingCall, type Interceptor, status } from '@grpc/grpc-js'
import { ConfigurationError, TokenRequestError } from '@tokenward/core'
import { createGrpcOptions } from '@tokenward/grpc'
import { until } from '@tokenward/local-servers'
import { dpopTokens } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { connect, startInvoiceServer } from './invoice-server'
import { calls, get, invoke, setup } from './support'

const FOREVER = Number.POSITIVE_INFINITY

test.each(Object.entries(calls))(
  'a %s call without a token ends with the reason, and nothing is sent',
  async (_kind, call) => {
    const { provider, server, client } = await setup()
    provider.tokenEndpointFaults.fail(FOREVER, { status: 401, body: { error: 'invalid_client' } })
    const { error } = await call(client)
    expect(error).toMatchObject({
      code: status.UNAUTHENTICATED,
      cause: { client: 'invoice.client', error: 'invalid_client' },
    })
    expect(error?.cause).toBeInstanceOf(TokenRequestError)
    expect(error?.cause).toHaveProperty('message', error?.details)
    expect(error?.details).toContain("no access token for client 'invoice.client': invalid_client")
    expect(server.calls).toEqual([])
  },
)

test('a token that may be had later: UNAVAILABLE, which a retry policy of grpc-js tries again', async () => {
  const { provider, server, client } = await setup()
  provider.tokenEndpointFaults.fail(FOREVER, { status: 503 })
  const { error } = await get(client)
  expect(error).toMatchObject({ code: status.UNAVAILABLE, cause: { error: 'server_error', retryable: true } })
  expect(server.calls).toEqual([])
})

test('when no new token can be had after a rejection, the caller gets the status of the server', async () => {
  const { provider, server, client } = await setup()
  await get(client)
  provider.revokeIssued()
  provider.tokenEndpointFaults.fail(FOREVER, { status: 401, body: { error: 'invalid_client' } })
  const { error } = await get(client)
  expect(error).toMatchObject({ code: status.UNAUTHENTICATED, details: 'the token is not valid' })
  expect(server.calls).toHaveLength(2)
})

test('the deadline of a call ends its wait for the first token and for a new one, and other callers still get theirs', async () => {
  const { provider, server, client, gate } = await setup()
  const release = gate.close()
  const late = await get(client, { deadline: Date.now() + 50 })
  expect(late.error?.code).toBe(status.DEADLINE_EXCEEDED)
  expect(server.calls).toEqual([])
  const waiting = get(client)
  release()
  expect((await waiting).error).toBeUndefined()

  provider.revokeIssued()
  const releaseAgain = gate.close()
  const later = await get(client, { deadline: Date.now() + 1_000 })
  expect(later.error?.code).toBe(status.DEADLINE_EXCEEDED)
  expect(server.messages).toHaveLength(1)
  releaseAgain()
  expect((await get(client)).error).toBeUndefined()
})

test('a cancelled call ends at once while it waits for the first token and for a new one', async () => {
  const { provider, server, client, gate } = await setup()
  for (const seen of [0, 2]) {
    const release = gate.close()
    const { requests } = gate
    const cancelled = new Promise<{ code?: number } | null>((resolve) => {
      const call = invoke(client, 'get', {}, resolve) as { cancel(): void }
      void until('a token is requested', async () => gate.requests > requests).then(() => call.cancel())
    })
    expect((await cancelled)?.code).toBe(status.CANCELLED)
    expect(server.calls).toHaveLength(seen)
    release()
    expect((await get(client)).error).toBeUndefined()
    provider.revokeIssued()
  }
})

test('a rejection after the metadata of a response is not repeated (gRFC A6), and the next call has a new token', async () => {
  const { provider, server, client } = await setup()
  await get(client)
  provider.revokeIssued()
  server.beginsBeforeRejecting = true
  expect((await get(client)).error?.code).toBe(status.UNAUTHENTICATED)
  expect(server.calls).toHaveLength(2)
  expect((await get(client)).error).toBeUndefined()
  expect(server.calls).toHaveLength(3)
})

test('retryOnUnauthenticated: false leaves the status to the caller, and the next call has a new token', async () => {
  const { provider, server, client } = await setup({ options: { retryOnUnauthenticated: false } })
  await get(client)
  provider.revokeIssued()
  expect((await get(client)).error?.code).toBe(status.UNAUTHENTICATED)
  expect((await get(client)).error).toBeUndefined()
  expect(server.calls).toHaveLength(3)
})

test('a retry policy of grpc-js works as before, also after a call that was sent again with a new token', async () => {
  const retryPolicy = {
    maxAttempts: 4,
    initialBackoff: '0.01s',
    maxBackoff: '0.01s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
  }
  const config = { methodConfig: [{ name: [{ service: 'company.Invoices' }], retryPolicy }] }
  const { provider, server, client } = await setup({ options: { 'grpc.service_config': JSON.stringify(config) } })
  server.failures.push(status.UNAVAILABLE, status.UNAVAILABLE)
  expect((await get(client)).error).toBeUndefined()
  expect(server.calls).toHaveLength(3)
  provider.revokeIssued()
  server.failures.push(status.UNAVAILABLE, status.UNAVAILABLE)
  expect((await get(client)).error).toBeUndefined()
  expect(server.calls.map(({ accepted }) => accepted)).toEqual([true, true, true, false, true, true, true])
})

test('interceptors of the client see one call; those of one call replace them, and can keep the tokens', async () => {
  const seen: string[] = []
  const note =
    (name: string): Interceptor =>
    (options, nextCall) => {
      seen.push(name)
      return nextCall(options) as InterceptingCall
    }
  const provider = await setup()
  const { server, tokens } = provider
  const options = createGrpcOptions(tokens, 'invoice.client', { interceptors: [note('client')] })
  const client = connect(server, options)
  await get(client)
  provider.provider.revokeIssued()
  expect((await get(client)).error).toBeUndefined()
  expect(seen).toEqual(['client', 'client'])
  expect((await get(client, { interceptors: [note('call'), ...(options.interceptors ?? [])] })).error).toBeUndefined()
  expect(seen).toEqual(['client', 'client', 'call', 'client'])

  const provided = createGrpcOptions(tokens, 'invoice.client', { interceptor_providers: [() => note('provider')] })
  expect((await get(connect(server, provided))).error).toBeUndefined()
  expect(seen.at(-1)).toBe('provider')
})

test('DPoP: a clear error, and nothing is sent', async () => {
  const { provider, start } = await dpopTokens()
  const server = await startInvoiceServer(provider)
  const { error } = await get(connect(server, createGrpcOptions(start(), 'c')))
  expect(error).toMatchObject({ code: status.UNAUTHENTICATED })
  expect(error?.cause).toBeInstanceOf(ConfigurationError)
  expect(error?.details).toContain("client 'c', dpop: cannot be used: gRPC has no DPoP proofs")
  expect(server.calls).toEqual([])
})

test('a channel that was closed meanwhile: the caller gets the status of the server', async () => {
  const { provider, server, client } = await setup()
  await get(client)
  provider.revokeIssued()
  server.rejecting = () => client.close()
  expect((await get(client)).error).toMatchObject({ code: status.UNAUTHENTICATED })
  expect(server.calls).toHaveLength(2)
})

test('no error of a call shows the token or the secret', async () => {
  const { provider, server, client } = await setup()
  await get(client)
  server.rejectsAll = true
  const { error } = await get(client)
  const { clientSecret } = provider.client('invoice.client')
  for (const text of [JSON.stringify(error), String(error?.stack), error?.details]) {
    for (const secret of [clientSecret, ...server.tokens()]) expect(text).not.toContain(String(secret))
  }
})

test('a tokenParameters function that fails: the call ends with its error as the cause', async () => {
  const failure = new Error('no tenant')
  const { server, client } = await setup({
    options: {
      tokenParameters() {
        throw failure
      },
    },
  })
  expect((await get(client)).error).toMatchObject({
    code: status.UNAUTHENTICATED,
    details: 'no access token',
    cause: failure,
  })
  expect(server.calls).toEqual([])
})

test('a manager that is closed ends the wait', async () => {
  const { server, tokens, client, gate } = await setup()
  gate.close()
  const call = get(client)
  await until('a token is requested', async () => gate.requests > 0)
  await tokens.close()
  expect((await call).error).toMatchObject({ cause: { error: 'closed' } })
  expect(server.calls).toEqual([])
})
