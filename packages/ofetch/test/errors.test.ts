import { inspect } from 'node:util'
import { TokenRequestError } from '@tokenward/core'
import { FetchError } from 'ofetch'
import { expect, test } from 'vitest'
import { catalogSetup } from './support'

test('a call fails with TokenRequestError when no token can be obtained; ofetch does not retry, the API receives no request', async () => {
  const failed: unknown[] = []
  const { catalog, provider, api } = await catalogSetup({
    retry: 3,
    onRequestError: ({ error }) => void failed.push(error),
  })
  const options = { tokenParameters: { scope: 'invoice' } }
  for (const call of [() => catalog('list', options), () => catalog.raw('list', options)]) {
    const error = await call().catch((reason) => reason)
    expect(error).toBeInstanceOf(TokenRequestError)
    expect(error).toMatchObject({ code: 'token_request_failed', error: 'invalid_scope', status: 400 })
    expect(failed.at(-1)).toBe(error)
  }
  // Core remembers a failure that will repeat, so the second call makes no token request.
  expect(provider.tokenRequests).toHaveLength(1)
  expect(api.requests).toHaveLength(0)
})

test('an error status is the usual FetchError, without a token in it', async () => {
  const { catalog, api } = await catalogSetup()
  api.faults.fail(1, { status: 422, body: { why: 'total' } })
  const error = await catalog('echo', { method: 'POST', body: { a: 1 } }).catch((reason) => reason)
  expect(error).toBeInstanceOf(FetchError)
  expect(error).toMatchObject({ status: 422, data: { why: 'total' }, request: `${api.baseURL}echo` })
  expect(error.message).toContain(`[POST] "${api.baseURL}echo": 422`)
  expectNoToken(error)
})

test('the error of a broken connection contains no token', async () => {
  const { catalog, api } = await catalogSetup({ retry: false })
  api.faults.fail(1, 'reset')
  const error = await catalog('test').catch((reason) => reason)
  expect(error).toMatchObject({ name: 'FetchError', cause: { message: 'fetch failed' } })
  expectNoToken(error)
})

function expectNoToken(error: FetchError): void {
  const { request, options, response, cause } = error
  for (const part of [error, { request, options, response, cause }]) {
    expect(inspect(part, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true })).not.toContain(
      'Bearer ey',
    )
    expect(JSON.stringify(part)).not.toContain('Bearer ey')
  }
}
