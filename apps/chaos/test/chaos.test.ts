import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { redisProgram } from '@tokenward/local-servers'
import { describe, expect, type TestContext, test } from 'vitest'

// The program runs as `pnpm chaos` runs it, with fewer processes and for less time. It checks invariants, and its bounds do not depend
// on how fast the machine is.

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
if (!existsSync(main)) throw new Error('apps/chaos is not built: pnpm run build')

interface Program {
  readonly child: ChildProcess
  readonly output: () => string
  /** The exit code, when the program and all processes that it started have ended. */
  readonly exit: Promise<number | null>
}

function start({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, args: readonly string[]): Program {
  // A process group of its own, as a terminal makes it.
  const child = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (text) => (output += text))
  child.stderr.on('data', (text) => (output += text))
  // The workers inherit the pipes, so `close` is emitted when the last of them has ended.
  return { child, output: () => output, exit: new Promise((resolve) => child.on('close', resolve)) }
}

/** One episode of faults, with tokens that live for three seconds. */
const SHORT = ['--minutes', '0.1', '--processes', '6', '--lifetime', '3']
const LIMIT = { timeout: 240_000 }

describe.skipIf(!(await redisProgram())).concurrent('a fleet under faults', LIMIT, () => {
  // These seeds draw six kinds of faults: a failover, FLUSHALL, connections that break, an outage of the endpoint, a stopped process and
  // a killed one, most of them while a token is renewed.
  test.for([
    ['cluster', '190148'],
    ['sentinel', '14228'],
  ])('breaks no invariant on %s', async ([on = '', seed = ''], context) => {
    const { output, exit } = start(context, [...SHORT, '--on', on, '--seed', seed])
    const code = await exit
    expect(output()).toContain('No invariant was broken.')
    expect(code).toBe(0)
    expect(output()).toMatch(/ends +each call ends in time +\d{2,} /)
  })

  // These are noticed also on a machine that is busy. test/invariants.test.ts shows it for all invariants.
  test.for([
    ['unencrypted', 'cluster', 'secrecy', '--processes 2'],
    // Calls so rare that the first one after the expiry comes late enough.
    ['slowClock', 'sentinel', 'notExpired', '--processes 1 --rate 0.4'],
  ])('with --break %s on %s, %s is broken', async ([sabotage = '', on = '', invariant = '', more = ''], context) => {
    const args = ['--lifetime', '3', '--seed', '1', '--on', on, '--break', sabotage, ...more.split(' ')]
    const { child, output, exit } = start(context, args)
    await expect.poll(output, { timeout: 120_000 }).toContain(`BROKEN ${invariant}: `)
    // Ctrl-C, which a terminal sends to all processes of the group.
    process.kill(-Number(child.pid), 'SIGINT')
    expect(await exit).toBe(1)
    expect(output()).toContain('name ')
    expect(output()).toMatch(/\nBroken invariants: \d+\. Seed 1\.\n$/)
  })
})

test.each([
  [['--processes', '0'], "--processes must be a number above 0, not '0'"],
  [['--processes', '65'], '--processes must be a whole number up to 64'],
  [['--on', 'memcached'], "--on must be cluster or sentinel, not 'memcached'"],
  [['--break', 'everything'], "--break knows no 'everything'"],
])('%j is refused with the usage', async (args, message) => {
  const ends: (() => void)[] = []
  const { output, exit } = start({ onTestFinished: (end) => void ends.push(end as () => void) }, args)
  expect(await exit).toBe(2)
  expect(output()).toContain(message)
  expect(output()).toContain('usage: pnpm chaos')
})
