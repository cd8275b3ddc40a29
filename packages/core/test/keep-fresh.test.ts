import { createTokenManager, TokenRequestError } from '@tokenward/core'
import { LeasingStore } from '@tokenward/test-support'
import { expect, test } from 'vitest'
import { definition, recordEvents, scripted, settle } from './support'

const unavailable = () => new TokenRequestError({ client: 'c', error: 'server_error', status: 503, retryable: true })

function keeping(options: Parameters<typeof scripted>[0] = {}, keepOptions: { onError?(error: unknown): void } = {}) {
  const all = scripted(options)
  const values: string[] = []
  const stop = all.tokens.keepFresh('catalog.client', ({ value }) => values.push(value), keepOptions)
  return { ...all, values, stop }
}

test('calls back with the current token, and with each one that is renewed ahead although nobody asks', async () => {
  const { tokens, clock, values, stop } = keeping()
  const events = recordEvents(tokens, 'tokenRetrieved', 'tokenUsed')
  await settle()
  expect(values).toEqual(['token-1'])
  await clock.advance(79_000)
  expect(values).toEqual(['token-1'])
  await clock.advance(321_000)
  expect(values).toEqual(['token-1', 'token-2', 'token-3', 'token-4', 'token-5', 'token-6'])
  expect(events.map(({ name, event }) => name === 'tokenRetrieved' && event.reason)).toEqual([
    'first',
    ...Array(5).fill('ahead'),
  ])
  stop()
  await clock.advance(1_000_000)
  expect(values).toHaveLength(6)
  expect(clock.pendingTimers).toBe(0)
})

test('a token that lives for hours needs a look a minute, and one request a lifetime', async () => {
  const { clock, endpoint, tokens } = scripted()
  endpoint.expiresIn = 36_000
  const seen: string[] = []
  tokens.keepFresh('catalog.client', ({ value }) => seen.push(value))
  await clock.advance(72_000_000 * 0.9)
  expect(seen).toEqual(['token-1', 'token-2', 'token-3'])
  expect(endpoint.requests).toHaveLength(3)
  await tokens.close()
})

test('a token that was forced by another caller, replaced after a 401, or deleted', async () => {
  const { tokens, clock, values } = keeping()
  await settle()
  await tokens.getAccessToken('catalog.client', { forceRenewal: true })
  await settle()
  expect(values).toEqual(['token-1', 'token-2'])
  const token = await tokens.getAccessToken('catalog.client')
  await tokens.rejectAccessToken('catalog.client', token)
  await settle()
  expect(values).toEqual(['token-1', 'token-2', 'token-3'])
  await tokens.clear('catalog.client')
  await clock.advance(60_000)
  expect(values).toEqual(['token-1', 'token-2', 'token-3', 'token-4'])
  await tokens.close()
})

test('a token that another process wrote to the store', async () => {
  const store = new LeasingStore()
  const { clock, endpoint, values, tokens } = keeping({ store })
  await settle()
  const other = createTokenManager({ clients: { 'catalog.client': definition }, requester: endpoint, clock, store })
  await other.getAccessToken('catalog.client', { forceRenewal: true })
  await clock.advance(61_000)
  expect(values).toEqual(['token-1', 'token-2'])
  await tokens.close()
})

test('an outage: it tries again after pauses, tells onError, and delivers the next token', async () => {
  const errors: unknown[] = []
  const { clock, endpoint, values, tokens } = keeping({}, { onError: (error) => errors.push(error) })
  await settle()
  endpoint.respondAlways(unavailable())
  await clock.advance(160_000)
  expect(values).toEqual(['token-1'])
  expect(errors.length).toBeGreaterThan(2)
  expect(errors.length).toBeLessThan(15)
  expect(errors[0]).toMatchObject({ error: 'server_error' })
  expect(endpoint.requests.length).toBeLessThan(40)
  endpoint.respondAlways(undefined)
  await clock.advance(40_000)
  expect(values).toHaveLength(2)
  await tokens.close()
})

test('a definition that cannot be loaded is tried again', async () => {
  let isLoadable = false
  const { tokens, clock } = scripted()
  tokens.addClient('late', async () => {
    if (!isLoadable) throw new Error('vault')
    return definition
  })
  const values: string[] = []
  const errors: unknown[] = []
  tokens.keepFresh('late' as 'catalog.client', ({ value }) => values.push(value), {
    onError: (error) => errors.push(error),
  })
  await clock.advance(10_000)
  expect(errors.length).toBeGreaterThan(2)
  isLoadable = true
  await clock.advance(30_000)
  expect(values).toEqual(['token-1'])
  await tokens.close()
})

test('what the callback or onError throws ends nothing, and is reported', async () => {
  const { tokens, clock } = scripted()
  const events = recordEvents(tokens, 'callbackFailed')
  const errors: unknown[] = []
  let calls = 0
  const callback = async () => {
    if (++calls === 1) throw Object.assign(new Error('the-token'), { code: 'ECONNRESET' })
    throw new TypeError('the-token')
  }
  tokens.keepFresh('catalog.client', callback, {
    onError(error) {
      errors.push(error)
      throw new Error('again')
    },
  })
  await settle()
  await clock.advance(200_000)
  expect(calls).toBe(3)
  expect(errors).toHaveLength(3)
  expect(events.map(({ event }) => event)).toEqual(
    ['ECONNRESET', 'TypeError', 'TypeError'].map((reason) => ({ client: 'catalog.client', reason })),
  )
  await tokens.close()
})

test('it ends with close, and can be stopped by its own callback, twice', async () => {
  const { tokens, clock, values } = keeping()
  await settle()
  await tokens.close()
  await clock.advance(1_000_000)
  expect(values).toEqual(['token-1'])
  expect(clock.pendingTimers).toBe(0)
  const other = scripted()
  let calls = 0
  const stop = other.tokens.keepFresh('catalog.client', () => {
    calls++
    stop()
    stop()
  })
  await other.clock.advance(500_000)
  expect(calls).toBe(1)
  expect(other.clock.pendingTimers).toBe(0)
})

test('options of its own: another token, and what cannot be right', async () => {
  const { tokens } = scripted()
  const scopes: unknown[] = []
  tokens.keepFresh('catalog.client', ({ scope }) => scopes.push(scope), { scope: 'narrow' })
  await settle()
  expect(scopes).toEqual(['narrow'])
  const keep = tokens.keepFresh as (...args: unknown[]) => unknown
  const wrong =
    (...args: unknown[]) =>
    () =>
      keep.call(tokens, ...args)
  expect(wrong('nobody', () => {})).toThrow("no client 'nobody' is defined")
  expect(wrong('catalog.client')).toThrow("client 'catalog.client', callback: must be a function")
  expect(wrong('catalog.client', () => {}, { onError: 1 })).toThrow('onError: must be a function, not number')
  expect(wrong('catalog.client', () => {}, { scopes: 'x' })).toThrow('scopes: is not an option; did you mean scope?')
  expect(wrong('catalog.client', () => {}, { forceRenewal: true })).toThrow('forceRenewal: cannot be set here')
  await tokens.close()
  expect(wrong('catalog.client', () => {})).toThrow('closed')
})
