import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { networkInterfaces } from 'node:os'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import type { Command, LiveState } from '../src/live-view/live-state'
import { startPageServer } from '../src/live-view/page-server'

const folder = fileURLToPath(new URL('../dist/page/', import.meta.url))

async function serve(port = 0) {
  const commands: Command[] = []
  const server = await startPageServer({
    port,
    folder,
    // The server does not look into the state.
    state: () => ({ calls: 1 }) as LiveState,
    async run(command) {
      commands.push(command)
      if (command === 'kill') throw new Error('no worker runs')
      return `done: ${command}`
    },
  })
  onTestFinished(() => server.close())
  const url = new URL(server.url)
  /** Sends a request as a browser does. */
  async function send(path: string, { method = 'GET', ...headers }: Record<string, string> = {}) {
    // Not `fetch`, which does not let a caller set `Host`.
    const sent = request({ port: url.port, path, method, headers: { host: url.host, ...headers } })
    sent.end()
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    return response
  }
  return { server, url, commands, send }
}

/** The addresses of this machine that the server must not listen on. */
function otherAddresses(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  // Link-local addresses need the name of their interface. Linux has all of 127.0.0.0/8.
  const own = addresses.map(({ address }) => address).filter((address) => !/^(127\.0\.0\.1$|fe80:)/.test(address))
  return process.platform === 'linux' ? ['127.0.0.2', ...own] : own
}

const post = (origin: string, more = {}) => ({ method: 'POST', origin, ...more })

test('serves the page under the secret path only', async () => {
  const { url, send } = await serve()
  const page = await send(url.pathname)
  expect(page.statusCode).toBe(200)
  expect(await text(page)).toContain('<title>tokenward: a fleet, live</title>')
  for (const file of ['style.css', 'page.js', 'icon.svg']) {
    expect((await send(`${url.pathname}${file}`)).statusCode).toBe(200)
  }
  const secret = url.pathname.slice(1, -1)
  expect(secret).toMatch(/^[\w-]{32}$/)
  const others = [
    '/',
    '/style.css',
    '/state',
    `/${secret.slice(1)}/`,
    `/${secret}`,
    `/${secret}/../page.js`,
    `/${secret}/main.js`,
  ]
  for (const path of others) expect((await send(path)).statusCode, path).toBe(404)
})

test('sends the state as server-sent events, again and again', async () => {
  const { url, send } = await serve()
  const response = await send(`${url.pathname}state`)
  expect(response.headers['content-type']).toBe('text/event-stream')
  let received = ''
  for await (const chunk of response) {
    received += chunk
    if (received.split('data: {"calls":1}\n\n').length > 3) break
  }
})

test('runs a command that the page sends, and says what was done or why not', async () => {
  const { url, commands, send } = await serve()
  const done = await send(`${url.pathname}commands/revoke`, post(url.origin))
  expect([done.statusCode, await text(done)]).toEqual([200, 'done: revoke'])
  const failed = await send(`${url.pathname}commands/kill`, post(url.origin))
  expect([failed.statusCode, await text(failed)]).toEqual([500, 'no worker runs'])
  expect((await send(`${url.pathname}commands/format-disk`, post(url.origin))).statusCode).toBe(404)
  expect((await send(`${url.pathname}commands/revoke`)).statusCode).toBe(404)
  expect((await send(`${url.pathname}commands/revoke`, { method: 'PUT', origin: url.origin })).statusCode).toBe(405)
  expect(commands).toEqual(['revoke', 'kill'])
})

test('responds by the name localhost too', async () => {
  const { url, commands, send } = await serve()
  const host = `localhost:${url.port}`
  expect((await send(url.pathname, { host })).statusCode).toBe(200)
  const response = await send(`${url.pathname}commands/revoke`, post(`http://${host}`, { host }))
  expect(response.statusCode).toBe(200)
  expect(commands).toEqual(['revoke'])
})

test('another page in the browser cannot press the buttons', async () => {
  const { url, commands, send } = await serve()
  const path = `${url.pathname}commands/revoke`
  // It sends requests here directly, also from a sandboxed frame.
  for (const origin of [
    'https://evil.example',
    'null',
    `http://127.0.0.1:${Number(url.port) + 1}`,
    `https://${url.host}`,
  ]) {
    expect((await send(path, post(origin))).statusCode, origin).toBe(403)
  }
  expect((await send(path, { method: 'POST' })).statusCode).toBe(403)
  // A name of its own resolves to 127.0.0.1 (DNS rebinding).
  for (const host of [`evil.example:${url.port}`, 'evil.example', '127.0.0.1', `localhost.evil.example:${url.port}`]) {
    expect((await send(path, post(`http://${host}`, { host }))).statusCode, host).toBe(421)
    expect((await send(url.pathname, { host })).statusCode, host).toBe(421)
  }
  expect((await send('/commands/revoke', post(url.origin))).statusCode).toBe(404)
  expect(commands).toEqual([])
})

test('each response forbids other origins, frames and inline scripts', async () => {
  const { url, send } = await serve()
  for (const path of [url.pathname, `${url.pathname}state`, '/']) {
    const { headers } = await send(path)
    const policy = String(headers['content-security-policy']).split('; ')
    expect(policy).toEqual(
      expect.arrayContaining(["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"]),
    )
    expect(policy.join()).not.toMatch(/unsafe|https?:|\*/)
    expect(headers['x-content-type-options']).toBe('nosniff')
    expect(headers['cross-origin-resource-policy']).toBe('same-origin')
    expect(headers['access-control-allow-origin']).toBeUndefined()
  }
})

test('listens on 127.0.0.1 only, and says when the port is taken', async () => {
  const { url } = await serve()
  expect(url.hostname).toBe('127.0.0.1')
  for (const host of otherAddresses()) {
    const sent = request({ host, port: url.port })
    sent.end()
    expect((await once(sent, 'response').catch(({ code }) => code)) as unknown, host).toBe('ECONNREFUSED')
  }
  await expect(serve(Number(url.port))).rejects.toThrow('EADDRINUSE')
})
