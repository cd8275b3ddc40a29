import { Metadata, status } from '@grpc/grpc-js'
import { SkippableClock } from '@tokenward/test-support'
import { describe, expect, test } from 'vitest'
import { calls, get, setup } from './support'

const responsesOf: Record<string, unknown[]> = {
  unary: [{ got: { id: 1 } }],
  'client streaming': [{ count: 3 }],
  'server streaming': [{ number: 1 }, { number: 2 }, { number: 3 }],
  bidirectional: [{ echo: { number: 1 } }, { echo: { number: 2 } }, { echo: { number: 3 } }],
}

describe.each(Object.entries(calls))('a %s call', (kind, call) => {
  test.each([false, true])('has the token, and shares it with all others (TLS: %s)', async (tls) => {
    const { provider, server, client } = await setup({ tls })
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => call(client)))
    for (const outcome of outcomes) expect(outcome).toEqual({ responses: responsesOf[kind] })
    expect(server.calls).toHaveLength(20)
    expect(server.tokens()).toHaveLength(1)
    expect(provider.tokenRequests).toHaveLength(1)
  })

  test('after a revocation: at most one status UNAUTHENTICATED reaches the caller, and none of a unary call', async () => {
    const { provider, server, client } = await setup()
    await call(client)
    provider.revokeIssued()
    const outcome = await call(client)
    if (kind === 'unary') expect(outcome).toEqual({ responses: responsesOf[kind] })
    else expect(outcome.error).toMatchObject({ code: status.UNAUTHENTICATED, details: 'the token is not valid' })
    expect(await call(client)).toEqual({ responses: responsesOf[kind] })
    expect(provider.tokenRequests).toHaveLength(2)
    expect(server.tokens()).toHaveLength(2)
    expect(server.calls).toHaveLength(kind === 'unary' ? 4 : 3)
  })

  test('across an expiry: the next call has a new token', async () => {
    const clock = new SkippableClock()
    const { provider, server, client } = await setup({ manager: { clock } })
    await call(client)
    clock.skip(3_600_000)
    expect(await call(client)).toEqual({ responses: responsesOf[kind] })
    expect(provider.tokenRequests).toHaveLength(2)
    expect(server.calls.map(({ accepted }) => accepted)).toEqual([true, true])
    expect(server.tokens()).toHaveLength(2)
  })

  test('a server that rejects every token: no storm of token requests', async () => {
    const { provider, server, client } = await setup()
    server.rejectsAll = true
    for (let count = 0; count < 30; count++) {
      const { error } = await call(client)
      expect(error?.code).toBe(status.UNAUTHENTICATED)
    }
    expect(provider.tokenRequests.length).toBeLessThan(8)
    // Each call once, and once more with each new token.
    expect(server.calls.length).toBeLessThanOrEqual(30 + provider.tokenRequests.length)
    server.rejectsAll = false
    expect(await call(client)).toEqual({ responses: responsesOf[kind] })
  })
})

test('100 unary calls after a revocation: one new token, and every call succeeds', async () => {
  const { provider, server, client } = await setup()
  await get(client)
  provider.revokeIssued()
  const outcomes = await Promise.all(Array.from({ length: 100 }, () => get(client)))
  expect(outcomes.filter(({ error }) => error)).toEqual([])
  expect(provider.tokenRequests).toHaveLength(2)
  expect(server.messages).toHaveLength(101)
})

test('the metadata of the caller is sent, without an authorization of its own, and stays as it was', async () => {
  const { server, client, provider } = await setup()
  const metadata = new Metadata()
  metadata.set('authorization', 'Bearer of-the-caller')
  metadata.set('x-request-id', '7')
  metadata.set('x-data-bin', Buffer.from([1, 2]))
  await get(client, metadata)
  provider.revokeIssued()
  expect((await get(client, metadata)).error).toBeUndefined()
  expect(server.calls).toHaveLength(3)
  for (const call of server.calls) {
    expect(call.metadata.get('x-request-id')).toEqual(['7'])
    expect(call.metadata.get('x-data-bin')).toEqual([Buffer.from([1, 2])])
    expect(call.metadata.get('authorization')).toHaveLength(1)
    expect(call.token).not.toBe('of-the-caller')
  }
  expect(metadata.get('authorization')).toEqual(['Bearer of-the-caller'])
})

test('a claims challenge in the metadata of a rejection: the next token is requested with the claims', async () => {
  const { provider, server, client } = await setup()
  const claims = '{"access_token":{"nbf":{"essential":true,"value":"1604106651"}}}'
  server.challenge = `Bearer error="insufficient_claims", claims="${btoa(claims)}"`
  await get(client)
  provider.revokeIssued()
  expect((await get(client)).error).toBeUndefined()
  expect(provider.tokenRequests.map(({ parameters }) => parameters.claims)).toEqual([undefined, claims])
})
