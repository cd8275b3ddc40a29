import { createServer } from 'node:http'
import { type AddressInfo, Server } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startIdentityProvider } from '../src'
import { basic, bearer, requestToken } from './support'

test('after close no server listens, and a second close is no error', async () => {
  const provider = await startIdentityProvider()
  const { access_token: token } = await requestToken(provider, 'catalog.client')
  await bearer(`${provider.catalog.baseURL}test`, token)
  await provider.close()
  await provider.close()
  for (const origin of [provider.issuer, provider.catalog.origin, provider.invoice.origin]) {
    await expect(fetch(origin)).rejects.toThrow('fetch failed')
  }
})

test('close does not wait for delayed responses, and no timer keeps the process alive', async () => {
  const provider = await startIdentityProvider()
  provider.tokenEndpointFaults.delayMs = 600_000
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
  const headers = { authorization: basic(provider, 'catalog.client') }
  const before = timers()
  const delayed = fetch(provider.tokenEndpoint, { method: 'POST', headers, body: 'a=b' }).catch(() => 'ended')
  await expect.poll(() => provider.tokenRequests.length).toBe(1)
  await provider.close()
  expect(await delayed).toBe('ended')
  // The platform's fetch has timers of its own for a few seconds. That of the delayed response would be there for ten minutes.
  await expect.poll(timers).toBeLessThanOrEqual(before)
})

test('when a port is taken, the start fails and no other server is left', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void taken.close())
  const { port } = taken.address() as AddressInfo
  const listen = vi.spyOn(Server.prototype, 'listen')
  onTestFinished(() => listen.mockRestore())
  await expect(startIdentityProvider({ invoicePort: port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  expect(listen.mock.contexts.map((server) => (server as Server).listening)).toEqual([false, false, false])
})

test('it writes nothing to the console and emits no warnings', async () => {
  const written = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')]
  const logged = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name))
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  onTestFinished(() => {
    process.off('warning', onWarning)
    vi.restoreAllMocks()
  })
  const provider = await startIdentityProvider()
  await requestToken(provider, 'catalog.client')
  await requestToken(provider, 'catalog.client', { scope: 'other' })
  await provider.close()
  for (const spy of [...written, ...logged]) expect(spy).not.toHaveBeenCalled()
  expect(warnings).toEqual([])
})
