import { existsSync, readFileSync } from 'node:fs'
import { commandToken } from '@tokenward/identity'
import { expect, test, vi } from 'vitest'
import { call, failure, jwt, temporaryFile } from './support'

/** Runs JavaScript, as a command that every machine has. */
const node = (code: string, options?: Parameters<typeof commandToken>[2]) =>
  commandToken(process.execPath, ['-e', code], options)

test('the token is what the command prints, and the command is run at each call', async () => {
  const token = jwt()
  expect(await call(node(`console.log(${JSON.stringify(token)})`))).toBe(token)
  const supplier = node('console.log(process.pid)', { format: 'opaque' })
  expect(await call(supplier)).not.toBe(await call(supplier))
})

test('there is no shell: an argument is passed as it is', async () => {
  const hostile = '$(touch x); `id`; %PATH%'
  const supplier = commandToken(process.execPath, ['-p', 'Buffer.from(process.argv[1]).toString("hex")', hostile], {
    format: 'opaque',
  })
  expect(await call(supplier)).toBe(Buffer.from(hostile).toString('hex'))
})

test('the command has the given environment', async () => {
  expect(await call(node('console.log(process.env.TOKEN)', { format: 'opaque', env: { TOKEN: 'from-env' } }))).toBe(
    'from-env',
  )
})

test.each([
  [
    'exits with a code',
    'console.log("secret"); console.error("secret"); process.exit(3)',
    'refused',
    'exited with code 3',
  ],
  ['prints nothing', '', 'invalid_response', 'is empty'],
  ['prints no JWT', 'console.log("secret")', 'invalid_response', 'is not a JWT'],
  ['prints without end', 'setInterval(() => console.log("secret".repeat(9999)), 0)', 'invalid_response', 'more than'],
])('a command that %s: the error says so, and shows nothing that it printed', async (_, code, reason, message) => {
  const error = await failure(node(code, { timeoutMs: 60_000 }))
  expect(error.reason).toBe(reason)
  expect(error.message).toContain(message)
  expect(error.message).not.toContain('secret')
})

test('a command that does not exist is named', async () => {
  const error = await failure(commandToken('no-such-command-of-tokenward'))
  expect(error).toMatchObject({
    reason: 'not_available',
    message: "command: 'no-such-command-of-tokenward' was not found",
  })
})

test('a command that hangs is killed at the time limit, and at an abort', async () => {
  const started = temporaryFile('', 'x')
  const hang = (path: string) =>
    `require("fs").writeFileSync(${JSON.stringify(path)}, String(process.pid)); setInterval(() => {}, 1000)`
  const isRunning = (pid: number) => {
    try {
      return process.kill(pid, 0)
    } catch {
      return false
    }
  }
  const pidIn = (path: string) => Number(readFileSync(path, 'utf8'))
  // The clock is the test's: the time is over when the command has started.
  let expire = () => {}
  const clock = {
    now: () => Date.now(),
    setTimeout(callback: () => void) {
      expire = callback
      return () => {}
    },
  }
  const timedOut = failure(node(hang(`${started}1`), { clock }))
  await vi.waitFor(() => expect(existsSync(`${started}1`)).toBe(true), { timeout: 30_000 })
  await vi.waitFor(() => expect(pidIn(`${started}1`)).toBeGreaterThan(0), { timeout: 30_000 })
  expire()
  expect(await timedOut).toMatchObject({ reason: 'timeout', message: 'command: no response within 5000 ms' })
  await vi.waitFor(() => expect(isRunning(pidIn(`${started}1`))).toBe(false), { timeout: 30_000 })

  const controller = new AbortController()
  const aborted = call(node(hang(`${started}2`), { timeoutMs: 600_000 }), undefined, controller.signal)
  await vi.waitFor(() => expect(pidIn(`${started}2`)).toBeGreaterThan(0), { timeout: 30_000 })
  controller.abort(new Error('enough'))
  await expect(aborted).rejects.toThrow('enough')
  await vi.waitFor(() => expect(isRunning(pidIn(`${started}2`))).toBe(false), { timeout: 30_000 })
})
