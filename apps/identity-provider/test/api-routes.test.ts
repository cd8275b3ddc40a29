import { createHash } from 'node:crypto'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type IdentityProvider, startIdentityProvider } from '../src'
import { bearer, requestToken } from './support'

let provider: IdentityProvider
let token: string

beforeAll(async () => {
  provider = await startIdentityProvider()
  token = (await requestToken(provider, 'invoice.client')).access_token
})
afterAll(() => provider.close())

const call = (path: string, init?: RequestInit) => bearer(`${provider.invoice.baseURL}${path}`, token, init)

test('list responds with the items, test with { ok: true }', async () => {
  expect(await (await call('list')).json()).toHaveLength(2)
  expect(await (await call('test')).json()).toEqual({ ok: true })
})

test('whoami responds with the claims of the token', async () => {
  const { clientId } = provider.client('invoice.client')
  expect(await (await call('whoami')).json()).toEqual({
    sub: clientId,
    client_id: clientId,
    jti: decodeJwt(token).jti,
    scope: 'invoice invoice.read',
    aud: 'urn:invoice',
  })
})

test.each(['POST', 'PUT', 'PATCH'])('echo describes the %s request that it received', async (method) => {
  const body = 'body ü'
  const response = await call('echo', { method, body, headers: { 'content-type': 'text/x-test' } })
  const sha256 = createHash('sha256').update(body).digest('hex')
  expect(await response.json()).toEqual({ method, contentType: 'text/x-test', length: 7, sha256, text: body })
})

test('echo describes a large body by its length and hash only', async () => {
  const body = new Uint8Array(300_000).fill(7)
  const sha256 = createHash('sha256').update(body).digest('hex')
  const echoed = await (await call('echo', { method: 'POST', body })).json()
  expect(echoed).toMatchObject({ length: 300_000, sha256 })
  expect(echoed).not.toHaveProperty('text')
})

test('status responds with the given status, 204 and 304 without a body', async () => {
  for (const status of [200, 204, 304, 404, 429, 500]) {
    const response = await call(`status/${status}`)
    expect([response.status, (await response.text()) === '']).toEqual([status, status === 204 || status === 304])
  }
})

test.each(['status/abc', 'status/99', 'status/1000', 'redirect?to=x&status=abc', 'redirect?to=x&status=200'])(
  '%s is not valid and gets 400',
  async (path) => expect((await call(path)).status).toBe(400),
)

test('redirect accepts relative and absolute URLs with any characters', async () => {
  const location = async (query: string) => (await call(`redirect?${query}`)).headers.get('location')
  expect(await location('to=test')).toBe('test')
  const elsewhere = `${provider.catalog.baseURL}list?a=%20b`
  expect(await location(`to=${encodeURIComponent(elsewhere)}`)).toBe(elsewhere)
  expect(await location(`to=${encodeURIComponent('ümlaut Ā😀\r\nx')}`)).toBe(encodeURI('ümlaut Ā😀\r\nx'))
  expect((await call('redirect?to=test&status=307')).status).toBe(307)
})

test('redirect needs a token, like every other path', async () => {
  expect((await fetch(`${provider.invoice.baseURL}redirect?to=test`)).status).toBe(401)
})

test('stream responds in several chunks', async () => {
  const response = await call('stream')
  const chunks: string[] = []
  const decoder = new TextDecoder()
  for await (const chunk of response.body ?? []) chunks.push(decoder.decode(chunk))
  expect(chunks[0]).toBe('line 1\n')
  expect(chunks.join('')).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n')
})

test('an unknown path gets 404', async () => {
  expect(await (await call('nothing')).json()).toEqual({ error: 'not_found' })
  for (const path of ['/', '//', '/catalog/list']) {
    expect((await bearer(`${provider.invoice.origin}${path}`, token)).status).toBe(404)
  }
})
