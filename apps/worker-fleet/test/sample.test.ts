import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { hasRedis } from '@tokenward/local-servers'
import { describe, expect, onTestFinished, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

interface Sample {
  readonly child: ChildProcess
  readonly output: () => string
  readonly exit: Promise<number | null>
}

/** In a process group of its own, as at a terminal. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Sample {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (text) => (output += text))
  child.stderr.on('data', (text) => (output += text))
  // Its members have the same pipes: they are closed when the last of them has ended.
  return { child, output: () => output, exit: new Promise((resolve) => child.on('close', resolve)) }
}

describe.skipIf(!(await hasRedis()))('the fleet sample', () => {
  test('ends by itself, with a table and a summary', async () => {
    const { output, exit } = start(['--processes', '3', '--seconds', '2', '--lifetime', '60'])
    expect(await exit).toBe(0)
    expect(output()).toMatch(/^3 processes share a token over Redis at \S+ for 2 s\. Tokens live 60 s;/)
    expect(output()).toMatch(/worker-3 +\d+ +[01] +[01] +\d+ +0\n/)
    expect(output()).toMatch(/calls that failed +0\n/)
    expect(output()).toMatch(/rejected at the API +0\n/)
    expect(output()).toMatch(/token requests +1 in /)
  })

  test('ends with Ctrl-C, which a terminal sends to every process of it', async () => {
    const { child, output, exit } = start(['--processes', '2', '--forever'])
    await expect.poll(output, { timeout: 15_000 }).toContain('worker-2')
    process.kill(-Number(child.pid), 'SIGINT')
    expect(await exit).toBe(0)
    expect(output()).toContain('Summary')
    expect(output()).toMatch(/calls that failed +0\n/)
  })

  test('leaves no process behind when it is killed', async () => {
    const { child, output, exit } = start(['--processes', '2', '--forever'])
    await expect.poll(output, { timeout: 15_000 }).toContain('worker-2')
    child.kill('SIGKILL')
    await exit
  })
})

test('where no Redis answers it says so, without the password, and ends with 1', async () => {
  const { output, exit } = start([], { REDIS_URL: 'redis://:hush@127.0.0.1:1' })
  expect(await exit).toBe(1)
  expect(output()).toContain('Redis does not respond. Check REDIS_URL.')
  expect(output()).not.toContain('hush')
})

test.each([
  [['--processes', '1.5'], '--processes must be a whole number up to 64'],
  [['--processes', '0'], '--processes 0 is no number above 0'],
  [['--seconds', 'x'], '--seconds x is no number above 0'],
  [['--lifetime', '-1'], '--lifetime'],
  [['--sideways'], '--sideways'],
])('%j is refused with what there is', async (args, message) => {
  const { output, exit } = start(args)
  expect(await exit).toBe(2)
  expect(output()).toContain(message)
  expect(output()).toContain('usage: npm run fleet --')
})
