import { createTokenManager } from '@tokenward/core'
import { expect, onTestFinished, test, vi } from 'vitest'
import { definition, ScriptedEndpoint, TestClock } from './support'

const HOUR = 3_600_000

/**
 * The clocks of the platform, moved by a test. They are mocked, because only the platform's own clock is not read for each use
 * of a token, and because no test can suspend the machine.
 */
function movedSystemClocks() {
  const offset = { wall: 0, monotonic: 0 }
  const wall = Date.now.bind(Date)
  const monotonic = performance.now.bind(performance)
  const spies = [
    vi.spyOn(Date, 'now').mockImplementation(() => wall() + offset.wall),
    vi.spyOn(performance, 'now').mockImplementation(() => monotonic() + offset.monotonic),
  ]
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore()
  })
  return {
    offset,
    readings: () => spies[1]?.mock.calls.length ?? 0,
    /** Code blocks the turn. */
    block(ms: number) {
      offset.wall += ms
      offset.monotonic += ms
    },
    /** The machine is suspended, and its monotonic clock stands still. */
    suspend(ms: number) {
      offset.wall += ms
    },
  }
}

/** A manager on the platform's clocks, which is used so often in this turn that it does not read them for each use. */
async function busy(lifetimeMs: number) {
  const clocks = movedSystemClocks()
  const requester = new ScriptedEndpoint(new TestClock())
  requester.expiresIn = lifetimeMs / 1_000
  const tokens = createTokenManager({ clients: { c: definition }, requester })
  await tokens.getAccessToken('c')
  const use = () => tokens.readyAccessToken?.('c')?.value
  const useOften = () => {
    const seen = new Set<string | undefined>()
    for (let count = 0; count < 1_000; count++) seen.add(use())
    // While a renewal is due, a use on a slow machine may have to wait for a full check.
    seen.delete(undefined)
    expect([...seen]).toEqual(['token-1'])
  }
  useOften()
  return { clocks, tokens, use, useOften }
}

test.each(['block', 'suspend'] as const)(
  '%s: a token near its end is not used after it, in the same turn',
  async (how) => {
    const { clocks, tokens, use } = await busy(30_000)
    clocks[how](40_000)
    expect(use()).toBeUndefined()
    expect((await tokens.getAccessToken('c')).value).toBe('token-2')
  },
)

test('a token that has come near its end while it was used all the time is not used after it', async () => {
  const { clocks, use, useOften } = await busy(HOUR)
  // Its last minute is the one in which callers wait for a new token.
  const last = HOUR - 60_000
  while (clocks.offset.wall < last - 140_000) {
    useOften()
    clocks.block(100_000)
  }
  // A turn may take long, but not longer than the minute in which readings are exact.
  clocks.block(100_000)
  useOften()
  clocks.block(50_000)
  expect(use()).toBeUndefined()
})

test('a demand of a remaining lifetime is met exactly', async () => {
  const { clocks, tokens, useOften } = await busy(HOUR)
  clocks.block(40_000)
  useOften()
  const use = (minValidityMs: number) => tokens.readyAccessToken?.('c', { minValidityMs })?.value
  expect(use(HOUR * 0.8 - 30_000)).toBe('token-1')
  clocks.block(HOUR * 0.2)
  expect(use(HOUR * 0.8 - 30_000)).toBeUndefined()
})

test.each(['block', 'suspend'] as const)(
  '%s: a turn that outlasts a long life uses the token at most 32 times more',
  async (how) => {
    const { clocks, use } = await busy(HOUR)
    clocks[how](2 * HOUR)
    let uses = 0
    while (use() !== undefined) uses++
    expect(uses).toBeLessThanOrEqual(32)
  },
)

test('the next turn reads the clock again', async () => {
  const { clocks, use } = await busy(HOUR)
  clocks.suspend(2 * HOUR)
  await new Promise((resolve) => setImmediate(resolve))
  expect(use()).toBeUndefined()
})

test('the clock is read for few of many uses in one turn', async () => {
  const { clocks, useOften } = await busy(HOUR)
  const before = clocks.readings()
  useOften()
  // The mocked clock is slow, so that now and then two readings are not close to each other.
  expect(clocks.readings() - before).toBeLessThan(500)
})
