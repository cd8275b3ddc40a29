import { expect, test } from 'vitest'
import { scripted, settle } from './support'

test('two calls share a token exactly when everything that identifies the token is equal', async () => {
  const { tokens, endpoint } = scripted({ client: { parameters: { tenant: 'a' } } })
  const value = async (options?: object) => (await tokens.getAccessToken('catalog.client', options)).value
  const usual = await value()
  expect(await value({ scope: 'catalog' })).toBe(usual)
  expect(await value({ parameters: { tenant: 'a' } })).toBe(usual)
  expect(await value({ minValidityMs: 1 })).toBe(usual)
  expect(await value({ scope: 'a b' })).toBe(await value({ scope: 'b  a a' }))
  expect(await value({ resource: 'urn:a' })).toBe(await value({ resource: ['urn:a'] }))
  expect(await value({ resource: ['urn:b', 'urn:a'] })).toBe(await value({ resource: [new URL('urn:a'), 'urn:b'] }))
  expect(await value({ parameters: { x: '1', y: '2' } })).toBe(await value({ parameters: { y: '2', x: '1' } }))
  const distinct = [
    usual,
    await value({ scope: 'a b' }),
    await value({ resource: 'urn:a' }),
    await value({ resource: ['urn:a', 'urn:b'] }),
    await value({ audience: 'urn:a' }),
    await value({ parameters: { tenant: 'b' } }),
    await value({ parameters: { tenant: undefined } }),
    await value({ parameters: { x: '1', y: '2' } }),
    (await tokens.getAccessToken('invoice.client')).value,
  ]
  expect(new Set(distinct).size).toBe(distinct.length)
  expect(endpoint.requests).toHaveLength(distinct.length)
})

test.each([100, 1_000, 10_000])('%d concurrent callers make one request', async (callers) => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.latencyMs = 1_000
  const all = Promise.all(Array.from({ length: callers }, () => tokens.getAccessToken('catalog.client')))
  await clock.advance(1_000)
  expect(new Set((await all).map(({ value }) => value)).size).toBe(1)
  expect(endpoint.requests).toHaveLength(1)
})

test('an abort rejects its caller with the reason, and the request continues for the others', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.latencyMs = 1_000
  const controller = new AbortController()
  const first = tokens.getAccessToken('catalog.client', { signal: controller.signal })
  const second = tokens.getAccessToken('catalog.client')
  await settle()
  controller.abort(new Error('the job was cancelled'))
  await expect(first).rejects.toThrow('the job was cancelled')
  expect(endpoint.requests[0]?.signal.aborted).toBe(false)
  await clock.advance(1_000)
  expect((await second).value).toBe('token-1')
  expect(endpoint.requests).toHaveLength(1)
})

test('a request continues after its only caller has aborted, and the next caller gets its token', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.latencyMs = 1_000
  await expect(tokens.getAccessToken('catalog.client', { signal: AbortSignal.abort('aborted before') })).rejects.toBe(
    'aborted before',
  )
  expect(endpoint.requests).toHaveLength(0)
  const controller = new AbortController()
  const aborted = expect(tokens.getAccessToken('catalog.client', { signal: controller.signal })).rejects.toBe('aborted')
  await settle()
  controller.abort('aborted')
  await aborted
  await clock.advance(1_000)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  expect(endpoint.requests).toHaveLength(1)
})

test('after a deletion a new token is requested; a token in flight goes only to callers that already wait for it', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('catalog.client')
  await tokens.deleteAccessToken('catalog.client')
  endpoint.latencyMs = 1_000
  const before = tokens.getAccessToken('catalog.client')
  await clock.advance(500)
  await tokens.deleteAccessToken('catalog.client')
  const after = tokens.getAccessToken('catalog.client')
  await clock.advance(1_500)
  expect((await before).value).toBe('token-2')
  expect((await after).value).toBe('token-3')
  expect(endpoint.mostInFlight).toBe(1)
})

test('deleteAccessToken deletes the token for its parameters; clear deletes all tokens of a client, or all', async () => {
  const { tokens } = scripted()
  const values = async () => [
    (await tokens.getAccessToken('catalog.client')).value,
    (await tokens.getAccessToken('catalog.client', { scope: 'x' })).value,
    (await tokens.getAccessToken('invoice.client')).value,
  ]
  expect(await values()).toEqual(['token-1', 'token-2', 'token-3'])
  await tokens.deleteAccessToken('catalog.client', { scope: 'x' })
  expect(await values()).toEqual(['token-1', 'token-4', 'token-3'])
  await tokens.clear('catalog.client')
  expect(await values()).toEqual(['token-5', 'token-6', 'token-3'])
  await tokens.clear()
  expect(await values()).toEqual(['token-7', 'token-8', 'token-9'])
})

test('close ends calls in flight and clears all timers, and later calls fail', async () => {
  const { tokens, endpoint, clock } = scripted()
  await tokens.getAccessToken('invoice.client')
  endpoint.respondNext(() => new Promise(() => {}), new TypeError('fetch failed'))
  const hanging = expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'closed' })
  await settle()
  const retrying = expect(tokens.getAccessToken('catalog.client', { scope: 'x' })).rejects.toMatchObject({
    error: 'closed',
  })
  await settle()
  expect(clock.pendingTimers).toBe(2)
  await tokens.close()
  await hanging
  await retrying
  expect(clock.pendingTimers).toBe(0)
  await expect(tokens.getAccessToken('invoice.client')).rejects.toMatchObject({
    code: 'token_request_failed',
    error: 'closed',
  })
  await tokens.close()
})

test('with 10,000 tenants the manager keeps maxEntries tokens, the most recent ones', async () => {
  const { tokens, endpoint } = scripted({ maxEntries: 1_000 })
  for (let tenant = 0; tenant < 10_000; tenant += 1_000) {
    const batch = Array.from({ length: 1_000 }, (_, n) => ({ parameters: { tenant: `t${tenant + n}` } }))
    await Promise.all(batch.map((options) => tokens.getAccessToken('catalog.client', options)))
  }
  expect(endpoint.requests).toHaveLength(10_000)
  await tokens.getAccessToken('catalog.client', { parameters: { tenant: 't9999' } })
  expect(endpoint.requests).toHaveLength(10_000)
  await tokens.getAccessToken('catalog.client', { parameters: { tenant: 't0' } })
  expect(endpoint.requests).toHaveLength(10_001)
})

test('callers get their token although its cache entry was evicted while they waited', async () => {
  const { tokens, endpoint, clock } = scripted({ maxEntries: 1 })
  endpoint.latencyMs = 1_000
  const all = Promise.all(
    Array.from({ length: 20 }, (_, n) => tokens.getAccessToken('catalog.client', { scope: `s${n % 10}` })),
  )
  await clock.advance(1_000)
  expect((await all).map(({ scope }) => scope)).toEqual(Array.from({ length: 20 }, (_, n) => `s${n % 10}`))
  expect(endpoint.requests).toHaveLength(10)
})
