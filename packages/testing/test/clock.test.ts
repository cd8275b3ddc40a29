import { createTestTokens, TestClock } from '@tokenward/testing'
import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => void vi.useRealTimers())

test('it starts at the current time, or at the one that is given', () => {
  const before = Date.now()
  const { now } = { now: new TestClock().now() }
  expect(now).toBeGreaterThanOrEqual(before)
  expect(now).toBeLessThanOrEqual(Date.now())
  const start = new Date('2030-01-01T00:00:00Z')
  for (const given of [start, start.getTime(), start.toISOString()]) {
    expect(new TestClock(given).now()).toBe(start.getTime())
  }
})

test('advance moves both times, and fires timers in order', async () => {
  const clock = new TestClock(1_000)
  const fired: [string, number][] = []
  const note = (name: string) => () => void fired.push([name, clock.now()])
  clock.setTimeout(note('late'), 300)
  clock.setTimeout(() => {
    note('early')()
    clock.setTimeout(note('nested'), 50)
  }, 100)
  const cancel = clock.setTimeout(note('cancelled'), 200)
  cancel()
  await clock.advance(299)
  expect(fired).toEqual([
    ['early', 1_100],
    ['nested', 1_150],
  ])
  await clock.advance(1)
  expect(fired.at(-1)).toEqual(['late', 1_300])
  expect([clock.now(), clock.monotonic()]).toEqual([1_300, 300])
})

test('a timer without delay fires by itself, unless it is cancelled', async () => {
  const clock = new TestClock()
  const fired: string[] = []
  clock.setTimeout(() => void fired.push('a'), 0)
  clock.setTimeout(() => void fired.push('b'), 0)()
  expect(fired).toEqual([])
  await Promise.resolve()
  expect(fired).toEqual(['a'])
})

test('calls of advance wait for each other', async () => {
  const clock = new TestClock(0)
  const fired: number[] = []
  for (const delayMs of [10, 20]) clock.setTimeout(() => void fired.push(clock.now()), delayMs)
  await Promise.all([clock.advance(10), clock.advance(10)])
  expect(fired).toEqual([10, 20])
  expect(clock.now()).toBe(20)
})

test('a callback that throws rejects advance, and the next one works', async () => {
  const clock = new TestClock(0)
  clock.setTimeout(() => {
    throw new Error('oops')
  }, 10)
  await expect(clock.advance(10)).rejects.toThrow('oops')
  await clock.advance(5)
  expect(clock.now()).toBe(15)
})

test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '1000'])('advance refuses %s', async (ms) => {
  await expect(new TestClock().advance(ms as number)).rejects.toThrow('expected a finite number of milliseconds')
})

test('a start that is no time is refused', () => {
  expect(() => new TestClock('tomorrow')).toThrow('start is not a valid time: tomorrow')
})

test('the fake timers of a test runner do not disturb it', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setImmediate', 'queueMicrotask', 'Date', 'performance'] })
  const tokens = createTestTokens({ clients: { a: { lifetimeMs: 60_000 } } })
  const first = await tokens.getAccessToken('a')
  vi.advanceTimersByTime(3_600_000)
  expect(await tokens.getAccessToken('a')).toBe(first)
  await tokens.clock.advance(60_000)
  expect((await tokens.getAccessToken('a')).value).toBe('a-token-2')
})
