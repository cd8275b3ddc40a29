import { createServer } from 'node:http'
import { type AddressInfo, Server } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startIdentityProvider } from '../src'
import { basic, bearer, requestToken } from './support'

test('after close nothing listens, and closing twice is no fault', async () => {
  const provider = await startIdentityProvider()
  const { access_token: token } = await requestToken(provider, 'catalog.client')
  await bearer(`${provider.catalog.baseURL}test`, token)
  await provider.close()
  await provider.close()
  for (const origin of [provider.issuer, provider.catalog.origin, provider.invoice.origin]) {
    await expect(fetch(origin)).rejects.toThrow('fetch failed')
  }
})

test('close waits for no delayed answer, and no timer keeps the process alive', async () => {
  const provider = await startIdentityProvider()
  provider.tokenEndpointFaults.delayMs = 600_000
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const headers = { authorization: basic(provider, 'catalog.client') }
  const before = timers()
  const delayed = fetch(provider.tokenEndpoint, { method: 'POST', headers, body: 'a=b' }).catch(() => 'ended')
  await expect.poll(() => provider.tokenRequests.length).toBe(1)
  await provider.close()
  expect(await delayed).toBe('ended')
  await expect.poll(timers).toBeLessThanOrEqual(before)
})

test('a port that is taken fails the start, and leaves none of the other servers', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void taken.close())
  const { port } = taken.address() as AddressInfo
  const listen = vi.spyOn(Server.prototype, 'listen')
  onTestFinished(() => listen.mockRestore())
  await expect(startIdentityProvider({ invoicePort: port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect(listen.mock.contexts.map((server) => (server as Server).listening)).toEqual([false, false, false])
})

test('it says nothing to anybody', async () => {
  const written = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
  const logged = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name))
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  onTestFinished(() => {
    process.off('warning', note)
    vi.restoreAllMocks()
  })
  const provider = await startIdentityProvider()
  await requestToken(provider, 'catalog.client')
  await requestToken(provider, 'catalog.client', { scope: 'other' })
  await provider.close()
  for (const spy of [...written, ...logged]) expect(spy).not.toHaveBeenCalled()
  expect(warnings).toEqual([])
})
