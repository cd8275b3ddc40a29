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

test('list and test', async () => {
  expect(await (await call('list')).json()).toHaveLength(2)
  expect(await (await call('test')).json()).toEqual({ ok: true })
})

test('whoami says what the token says', async () => {
  const { clientId } = provider.client('invoice.client')
  expect(await (await call('whoami')).json()).toEqual({
    sub: clientId,
    client_id: clientId,
    jti: decodeJwt(token).jti,
    scope: 'invoice invoice.read',
    aud: 'urn:invoice',
  })
})

test.each(['POST', 'PUT', 'PATCH'])('echo says what arrived by %s', async (method) => {
  const body = 'body ü'
  const response = await call('echo', { method, body, headers: { 'content-type': 'text/x-test' } })
  const sha256 = createHash('sha256').update(body).digest('hex')
  expect(await response.json()).toEqual({ method, contentType: 'text/x-test', length: 7, sha256, text: body })
})

test('echo keeps a large body to itself, but for its length and hash', async () => {
  const body = new Uint8Array(300_000).fill(7)
  const sha256 = createHash('sha256').update(body).digest('hex')
  const echoed = await (await call('echo', { method: 'POST', body })).json()
  expect(echoed).toMatchObject({ length: 300_000, sha256 })
  expect(echoed).not.toHaveProperty('text')
})

test('status answers as told, 204 and 304 without a body', async () => {
  for (const status of [200, 204, 304, 404, 429, 500]) {
    const response = await call(`status/${status}`)
    expect([response.status, (await response.text()) === '']).toEqual([status, status === 204 || status === 304])
  }
})

test.each(['status/abc', 'status/99', 'status/1000', 'redirect?to=x&status=abc', 'redirect?to=x&status=200'])(
  '%s asks for what cannot be, and gets 400',
  async (path) => expect((await call(path)).status).toBe(400),
)

test('redirect leads to relative and absolute URLs, with any characters', async () => {
  const location = async (query: string) => (await call(`redirect?${query}`)).headers.get('location')
  expect(await location('to=test')).toBe('test')
  const elsewhere = `${provider.catalog.baseURL}list?a=%20b`
  expect(await location(`to=${encodeURIComponent(elsewhere)}`)).toBe(elsewhere)
  expect(await location(`to=${encodeURIComponent('ümlaut Ā😀\r\nx')}`)).toBe(encodeURI('ümlaut Ā😀\r\nx'))
  expect((await call('redirect?to=test&status=307')).status).toBe(307)
})

test('a redirect needs a token like everything else', async () => {
  expect((await fetch(`${provider.invoice.baseURL}redirect?to=test`)).status).toBe(401)
})

test('stream comes in pieces', async () => {
  const response = await call('stream')
  const pieces: string[] = []
  const decoder = new TextDecoder()
  for await (const piece of response.body ?? []) pieces.push(decoder.decode(piece))
  expect(pieces[0]).toBe('line 1\n')
  expect(pieces.join('')).toBe('line 1\nline 2\nline 3\nline 4\nline 5\n')
})

test('what is unknown gets 404, odd paths too', async () => {
  expect(await (await call('nothing')).json()).toEqual({ error: 'not_found' })
  for (const path of ['/', '//', '/catalog/list']) {
    expect((await bearer(`${provider.invoice.origin}${path}`, token)).status).toBe(404)
  }
})
