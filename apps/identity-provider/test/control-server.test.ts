import { expect, onTestFinished, test } from 'vitest'
import { startIdentityProvider } from '../src'
import { startControlServer } from '../src/control-server'
import { bearer, requestToken } from './support'

async function start() {
  const provider = await startIdentityProvider()
  const control = await startControlServer(provider)
  onTestFinished(async () => {
    await control.close()
    await provider.close()
  })
  const post = async (path: string, method = 'POST') => {
    const response = await fetch(`${control.origin}/control/${path}`, { method })
    return { status: response.status, ...((await response.json()) as Record<string, unknown>) }
  }
  return { provider, post }
}

test('revoke: the APIs reject the tokens that were issued', async () => {
  const { provider, post } = await start()
  const { access_token: token } = await requestToken(provider, 'catalog.client')
  expect(await post('revoke')).toEqual({ status: 200, revoked: 1 })
  expect((await bearer(`${provider.catalog.baseURL}test`, token)).status).toBe(401)
})

test('token-endpoint: responses are delayed and fail until clear', async () => {
  const { provider, post } = await start()
  expect(await post('token-endpoint?delayMs=5&fail=2&status=503')).toMatchObject({ status: 503, delayMs: 5, fail: 2 })
  expect(provider.tokenEndpointFaults.delayMs).toBe(5)
  const failed = await fetch(provider.tokenEndpoint, { method: 'POST', body: 'a=b' })
  expect(failed.status).toBe(503)
  expect(await post('clear')).toMatchObject({ status: 200 })
  expect(provider.tokenEndpointFaults.delayMs).toBe(0)
  expect((await requestToken(provider, 'catalog.client')).status).toBe(200)
})

test('a request that is not valid changes nothing', async () => {
  const { provider, post } = await start()
  for (const query of ['', '?delayMs=-1', '?delayMs=5&fail=x', '?fail=1&status=99', '?delayMs=']) {
    expect((await post(`token-endpoint${query}`)).status).toBe(400)
  }
  expect((await post('revoke', 'GET')).status).toBe(405)
  expect((await post('toString')).status).toBe(404)
  expect([provider.tokenEndpointFaults.delayMs, provider.tokenEndpointFaults.take()]).toEqual([0, undefined])
})
