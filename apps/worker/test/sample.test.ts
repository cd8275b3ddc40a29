import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

function start(...args: string[]): { child: ChildProcess; output: () => string; exit: Promise<number | null> } {
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout?.on('data', (text) => (output += text))
  child.stderr?.on('data', (text) => (output += text))
  return { child, output: () => output, exit: new Promise((resolve) => child.on('exit', resolve)) }
}

test('the sample ends by itself, with a summary and exit code 0', async () => {
  const { output, exit } = start('--seconds', '1.5')
  expect(await exit).toBe(0)
  expect(output()).toContain('Workers (manual, http, typed)')
  expect(output()).toMatch(/catalog\.client: a new token/)
  expect(output()).toMatch(/API requests +6 \(6 × 200\)/)
  expect(output()).toMatch(/token requests +2/)
})

test.each([
  ['private-key-jwt', 'the catalog answered 200 to a client that has no secret'],
  ['dpop', 'the catalog answered 200 to the token with its proof, 401 to the token alone'],
  ['workload-identity', 'the catalog answered 200 to a client that its platform vouches for'],
])('--only %s shows it', async (worker, line) => {
  const { output, exit } = start('--only', worker, '--seconds', '0.5')
  expect(await exit).toBe(0)
  expect(output()).toContain(line)
})

test.each(['SIGINT', 'SIGTERM'] as const)('%s ends it cleanly, also with --forever', async (signal) => {
  const { child, output, exit } = start('--forever', '--only', 'manual')
  await expect.poll(output, { timeout: 10_000 }).toContain('items from the catalog')
  child.kill(signal)
  child.kill(signal)
  expect(await exit).toBe(0)
  expect(output()).toContain('Workers (manual) ')
  expect(output()).toContain('Summary')
})

test.each([
  [['--only', 'nobody'], "there is no worker 'nobody'"],
  [['--sideways'], '--sideways'],
  [['--seconds', 'x'], '--seconds x is no number above 0'],
])('%j is refused with what there is', async (args, message) => {
  const { output, exit } = start(...args)
  expect(await exit).toBe(2)
  expect(output()).toContain(message)
  expect(output()).toContain('usage: npm start --')
})
