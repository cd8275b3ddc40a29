import { serve } from '@tokenward/test-support'
import { createTestTokens } from '@tokenward/testing'
import { expect, test } from 'vitest'
import type { SampleEnvironment } from '../src/tokens'
import { httpClient } from '../src/workers/http-client'
import { manual } from '../src/workers/manual'
import { typedClient } from '../src/workers/typed-client'
import type { Worker, WorkerContext } from '../src/workers/worker'

// How a worker is tested by itself: with test tokens in place of the token manager. sample.test.ts runs all of them against a
// real authorization server.

/** Runs one round of a worker, and returns what it reported. */
async function oneRound(worker: Worker, tokens: unknown, url: string): Promise<string> {
  const stopping = new AbortController()
  const reports: string[] = []
  await worker({
    tokens: tokens as WorkerContext['tokens'],
    environment: { catalogUrl: url, invoiceUrl: url } as SampleEnvironment,
    stop: stopping.signal,
    report(text) {
      reports.push(text)
      stopping.abort()
    },
  })
  expect(reports).toHaveLength(1)
  return String(reports[0])
}

/** An API that accepts these tokens. */
async function apiThatAccepts(...values: string[]) {
  const seen: (string | undefined)[] = []
  const url = await serve(({ headers }, response) => {
    const value = headers.authorization?.replace('Bearer ', '')
    seen.push(value)
    response.statusCode = value !== undefined && values.includes(value) ? 200 : 401
    response.end('[{ "id": 1, "total": 40 }, { "id": 2, "total": 2 }]')
  })
  return { url, seen }
}

test('the manual worker reports a rejected token, and its next round uses another one', async () => {
  const tokens = createTestTokens({ clients: { 'catalog.client': { value: ['stale', 'good'] } } })
  const { url, seen } = await apiThatAccepts('good')
  expect(await oneRound(manual, tokens, url)).toBe('the catalog responded 401: the next round gets a new token')
  expect(await oneRound(manual, tokens, url)).toBe('2 items from the catalog')
  expect(seen).toEqual(['stale', 'good'])
})

test('the worker with an HTTP client notices nothing of a rejected token', async () => {
  const tokens = createTestTokens({ clients: { 'catalog.client': { value: ['stale', 'good'] } } })
  const { url, seen } = await apiThatAccepts('good')
  expect(await oneRound(httpClient, tokens, url)).toBe('2 items from the catalog')
  expect(seen).toEqual(['stale', 'good'])
})

test.each([
  ['manual', manual, 'catalog.client'],
  ['http', httpClient, 'catalog.client'],
  ['typed', typedClient, 'invoice.client'],
] as const)('the %s worker reports that there is no token, and calls no API', async (_name, worker, client) => {
  const tokens = createTestTokens({ clients: { [client]: { value: 'good' } } })
  const { url, seen } = await apiThatAccepts('good')
  tokens.failNext(client, { error: 'server_error', retryAfterMs: 2_000 })
  expect(await oneRound(worker, tokens, url)).toContain(`failed: no access token for client '${client}': server_error`)
  expect(seen).toEqual([])
  await tokens.clock.advance(2_000)
  expect(await oneRound(worker, tokens, url)).not.toContain('failed')
})

test('the typed client adds up the invoices, with a token of invoice.client', async () => {
  const tokens = createTestTokens({ clients: { 'invoice.client': { value: 'good' } } })
  const { url } = await apiThatAccepts('good')
  expect(await oneRound(typedClient, tokens, url)).toBe('2 invoices with a total of 42')
  expect(tokens.calls.map(({ client }) => client)).toEqual(['invoice.client'])
})
