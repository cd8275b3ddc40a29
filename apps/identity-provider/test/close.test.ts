import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startIdentityProvider } from '../src'
import { bearer, requestToken } from './support'

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

/** Closes a provider whose token endpoint would respond in ten minutes. Then nothing is left to do. */
const SCRIPT = `
  import { request } from 'node:http'
  import { startIdentityProvider } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
  const provider = await startIdentityProvider()
  provider.tokenEndpointFaults.delayMs = 600_000
  const ended = new Promise((resolve) => request(provider.tokenEndpoint, { method: 'POST' }).on('error', resolve).end('a=b'))
  while (provider.tokenRequests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  await provider.close()
  await ended
  console.log('closed')
`

test('close does not wait for delayed responses, and no timer keeps the process alive', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT])
  onTestFinished(() => void child.kill('SIGKILL'))
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  expect({ output, code }).toEqual({ output: 'closed\n', code: 0 })
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
