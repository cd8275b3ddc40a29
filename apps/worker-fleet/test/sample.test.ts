import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { hasRedis } from '@tokenward/local-servers'
import { describe, expect, type TestContext, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

interface Sample {
  readonly child: ChildProcess
  readonly output: () => string
  readonly exit: Promise<number | null>
}

/** Starts the sample in a process group of its own, as a terminal does. */
function start({ onTestFinished }: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}): Sample {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    env: { ...process.env, ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (text) => (output += text))
  child.stderr.on('data', (text) => (output += text))
  // The worker processes inherit the pipes, so `close` is emitted when the last of them has ended.
  return { child, output: () => output, exit: new Promise((resolve) => child.on('close', resolve)) }
}

describe.skipIf(!(await hasRedis())).concurrent('the fleet sample', () => {
  test('ends after --seconds with a table and a summary', async (context) => {
    const { output, exit } = start(context, ['--processes', '3', '--seconds', '2', '--lifetime', '60'])
    expect(await exit).toBe(0)
    expect(output()).toMatch(/^3 processes share a token over Redis at \S+ for 2 s\. Tokens live 60 s;/)
    expect(output()).toMatch(/worker-3 +\d+ +[01] +[01] +\d+ +0\n/)
    expect(output()).toMatch(/failed calls +0\n/)
    expect(output()).toMatch(/rejected by the API +0\n/)
    // One, unless the machine is so busy that a store operation takes longer than its 250 ms.
    expect(output()).toMatch(/token requests +[1-3] in /)
  })

  test('ends with a summary after Ctrl-C, which a terminal sends to all its processes', async (context) => {
    const { child, output, exit } = start(context, ['--processes', '2', '--forever'])
    await context.expect.poll(output).toContain('worker-2')
    process.kill(-Number(child.pid), 'SIGINT')
    expect(await exit).toBe(0)
    expect(output()).toContain('Summary')
    expect(output()).toMatch(/failed calls +0\n/)
  })

  test('leaves no process behind when it is killed', async (context) => {
    const { child, output, exit } = start(context, ['--processes', '2', '--forever'])
    await context.expect.poll(output).toContain('worker-2')
    child.kill('SIGKILL')
    await exit
  })
})

test.concurrent('without a Redis it prints an error without the password, and ends with 1', async (context) => {
  const { output, exit } = start(context, [], { REDIS_URL: 'redis://:hush@127.0.0.1:1' })
  expect(await exit).toBe(1)
  expect(output()).toContain('Redis does not respond. Check REDIS_URL.')
  expect(output()).not.toContain('hush')
})

test.concurrent.for([
  [['--processes', '1.5'], '--processes must be a whole number up to 64'],
  [['--processes', '0'], "--processes must be a number above 0, not '0'"],
  [['--seconds', 'x'], "--seconds must be a number above 0, not 'x'"],
  [['--lifetime', '-1'], '--lifetime'],
  [['--sideways'], '--sideways'],
  [['--port', '8080'], '--port is for the live view: add --watch'],
  [['--watch', '--port', '65536'], "--port must be a whole number from 0 to 65535, not '65536'"],
  [['--watch', '--latency', '-1'], "'--latency'"],
] as const)('%j is refused with the usage', async ([args, message], context) => {
  const { output, exit } = start(context, args)
  expect(await exit).toBe(2)
  expect(output()).toContain(message)
  expect(output()).toContain('usage: npm run fleet --')
})
