import { chromiumProgram, redisProgram } from '@tokenward/local-servers'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  accessibilityProblems,
  descriptionOf,
  type LivePage,
  openLivePage,
  press,
  shown,
  skipAhead,
  WAIT,
  WORKERS,
} from './live-page'

// A real browser shows the page of the real sample. Each test leaves everything in order for the next one.

const LONG = { timeout: 120_000 }
const hasPrograms = Boolean((await redisProgram()) && (await chromiumProgram()))

describe.skipIf(!hasPrograms)('the live view', LONG, () => {
  let live: LivePage
  let page: Page
  let view: ReturnType<typeof shown>

  beforeAll(async () => {
    live = await openLivePage()
    page = live.page
    view = shown(page)
  }, LONG.timeout)
  afterAll(() => live?.close())

  /** Waits until each worker has another token than before. */
  async function newTokens(before: readonly unknown[]): Promise<void> {
    const hasOld = async () => (await view.tokens()).some((token) => token === undefined || before.includes(token))
    await expect.poll(hasOld, WAIT).toBe(false)
  }

  /** Moves the clocks ahead until all workers share a token. */
  async function shareToken(): Promise<void> {
    await expect.poll(async () => (await view.tokens()).includes(undefined), WAIT).toBe(false)
    while (new Set(await view.tokens()).size > 1) {
      const before = await view.tokens()
      await skipAhead(page)
      await newTokens(before)
    }
    await expect.poll(view.now, WAIT).toMatch(/^All 3 workers share token \d+/)
  }

  /**
   * Does something until it leads to this many token requests, and to no failed call. It needs more than one try on a busy machine
   * only: the token manager waits 250 ms for the store, and a call 1 s for its new token.
   */
  async function expectRequests(tokenRequests: number, change: () => Promise<void>): Promise<void> {
    const outcome = async () => {
      await shareToken()
      const before = { requests: await view.tokenRequests(), failed: await view.failedCalls() }
      await change()
      const failedCalls = (await view.failedCalls()) - before.failed
      return { tokenRequests: (await view.tokenRequests()) - before.requests, failedCalls }
    }
    await expect.poll(outcome, WAIT).toEqual({ tokenRequests, failedCalls: 0 })
  }

  test('shows each process, and that all share one token', async () => {
    await shareToken()
    expect(await page.getByRole('heading', { level: 3 }).allTextContents()).toEqual(WORKERS)
    const meter = page.getByRole('meter', { name: 'Token of worker-2: seconds left' })
    expect(Number(await meter.getAttribute('aria-valuenow'))).toBeGreaterThan(3_000)
    expect(await meter.getAttribute('aria-valuetext')).toMatch(/^token \d+, \d+ s left, in use$/)
    const log = await view.log()
    expect(log).toMatch(/Worker-\d sends a token request\./)
    expect(log).toMatch(/Worker-\d uses token 1, from the token endpoint\./)
    // One line for both workers, or one for each when they were slow.
    expect(log).toMatch(/Worker-\d (and worker-\d use|uses) token \d+, from Redis\./)
    await expect.poll(() => view.text('#requests')).toMatch(/1\. worker-[123]\s*200, a new token/)
    expect(await view.text('#redis-token')).toMatch(/^kept for \d+ s more$/)
  })

  test('Skip ahead: one worker renews the token ahead, and the others take it from Redis', async () => {
    await expectRequests(1, async () => {
      const before = await view.tokens()
      await skipAhead(page)
      await newTokens(before)
    })
  })

  test('Revoke all tokens: one request for a new token, and no call fails', async () => {
    await expectRequests(1, async () => {
      const before = await view.tokens()
      await press(page, 'Revoke all tokens')
      await newTokens(before)
    })
    await expect.poll(view.log, WAIT).toContain('The API rejected the token of')
  })

  test('Kill a worker: its process disappears, another one takes its place, and no call of the others fails', async () => {
    await expectRequests(0, async () => {
      const before = await view.pids()
      await press(page, 'Kill a worker')
      const isReplaced = async () => {
        const pids = await view.pids()
        return !pids.includes(undefined) && pids.filter((pid) => !before.includes(pid)).length === 1
      }
      await expect.poll(isReplaced, WAIT).toBe(true)
      await expect.poll(async () => (await view.tokens()).includes(undefined), WAIT).toBe(false)
    })
    const log = await view.log()
    expect(log).toMatch(/You killed worker-\d\./)
    expect(log).toMatch(/The process of worker-\d has ended/)
    expect(log).toMatch(/Worker-\d works again, with a new process/)
  })

  test('the token endpoint goes down and comes back: the page shows it, and no call fails', async () => {
    await shareToken()
    const failedCalls = await view.failedCalls()
    const [token] = await view.tokens()
    await press(page, 'Take the token endpoint down')
    await expect.poll(() => view.text('#endpoint-state'), WAIT).toContain('Down')
    await skipAhead(page)
    await expect.poll(view.log, WAIT).toContain('cannot renew the token: server_error (503). ')
    await expect.poll(view.now, WAIT).toContain('The token endpoint is down. Calls go on with the current token')
    await expect.poll(() => view.text('#requests'), WAIT).toContain('503, failed')
    expect(await accessibilityProblems(page)).toEqual([])
    const calls = await view.calls()
    await expect.poll(view.calls, WAIT).toBeGreaterThan(calls + 10)
    expect(new Set(await view.tokens())).toEqual(new Set([token]))
    await press(page, 'Bring the endpoint back')
    await skipAhead(page)
    await newTokens([token])
    expect(await view.failedCalls()).toBe(failedCalls)
  })

  test('Redis goes and comes back: each worker renews alone, and no call fails', async () => {
    const failedCalls = await view.failedCalls()
    const before = await view.tokens()
    await press(page, 'Stop Redis')
    await expect.poll(() => view.text('#redis-state'), WAIT).toContain('Gone')
    await skipAhead(page)
    const own = async () => (await view.tokens()).filter((token) => !before.includes(token))
    await expect.poll(async () => new Set(await own()).size, WAIT).toBe(WORKERS.length)
    expect(await view.log()).toContain('Redis fails for')
    expect(await view.now()).toContain('Redis is gone. Each worker keeps its token in memory')
    expect(await view.text('#redis-token')).toBe('none')
    const start = page.getByRole('button', { name: 'Start Redis again' })
    await expect.poll(() => descriptionOf(start), WAIT).toContain('It comes back empty.')
    await press(page, 'Start Redis again')
    await expect.poll(() => view.text('#redis-token'), WAIT).toContain('kept for')
    // The workers connect again one by one. Who has no connection yet renews alone once more.
    await shareToken()
    expect(await view.failedCalls()).toBe(failedCalls)
  })

  test('a wrong secret: the page names the error and the setting; with the right secret all goes on', async () => {
    const failedCalls = await view.failedCalls()
    const before = await view.tokens()
    await press(page, 'Give a wrong secret')
    await skipAhead(page)
    await expect
      .poll(view.log, WAIT)
      .toMatch(
        /cannot renew the token: invalid_client \(401\)\. .* Check clientId and clientSecret of catalog\.client\./,
      )
    await expect.poll(view.now, WAIT).toContain('The secret is wrong, so each renewal fails (invalid_client).')
    await press(page, 'Give the right secret back')
    await skipAhead(page)
    await newTokens(before)
    expect(await view.failedCalls()).toBe(failedCalls)
  })

  test('works by keyboard alone, and shows where the focus is', async () => {
    const names = await page.getByRole('button').allTextContents()
    // The focus starts at the top of the page.
    await page.locator('h1').click()
    const before = await view.tokens()
    for (const name of names) {
      await page.keyboard.press('Tab')
      const focused = page.locator(':focus-visible')
      expect(await focused.textContent()).toContain(name)
      expect(await focused.evaluate((each) => getComputedStyle(each).outlineStyle)).toBe('solid')
    }
    for (const _ of names.slice(1)) await page.keyboard.press('Shift+Tab')
    expect(await page.locator(':focus-visible').textContent()).toBe('Revoke all tokens')
    await page.keyboard.press('Enter')
    await newTokens(before)
  })

  test('says what each button does, and only tells screen readers when something breaks or works again', async () => {
    for (const button of await page.getByRole('button').all()) {
      expect(await descriptionOf(button)).toMatch(/fails|Breaks nothing/)
    }
    const status = page.getByRole('status')
    const before = await view.tokens()
    await skipAhead(page)
    await newTokens(before)
    // The button was pressed. The renewal that it led to is no news.
    expect(await status.textContent()).toBe("You moved the workers' clocks ahead, to the renewal of the token.")
  })

  test.each([
    ['narrow', 360, 'light'],
    ['narrow', 360, 'dark'],
    ['wide', 1_280, 'light'],
    ['wide', 1_280, 'dark'],
  ] as const)('is accessible: %s (%i pixels), %s', async (_, width, colorScheme) => {
    await page.setViewportSize({ width, height: 800 })
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    expect(await accessibilityProblems(page)).toEqual([])
    const layout = await page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - window.innerWidth,
      background: getComputedStyle(document.body).backgroundColor.match(/\d+/g)?.map(Number) ?? [],
      columns: getComputedStyle(document.querySelector('main') ?? document.body).gridTemplateColumns.split(' ').length,
      transition: getComputedStyle(document.querySelector('.fill') ?? document.body).transitionDuration,
    }))
    expect(layout.overflow).toBe(0)
    expect(Math.max(...layout.background) < 128).toBe(colorScheme === 'dark')
    expect(layout.columns).toBe(width > 1_000 ? 3 : 1)
    expect(layout.transition).toBe('0s')
  })

  test('loads nothing from elsewhere, gets no secret, has no errors, and says when the sample has ended', async () => {
    expect(live.problems).toEqual([])
    expect(await live.endSample()).toBe(0)
    expect(live.received).toContain('You revoked all tokens.')
    expect(live.received).toContain('Redis works again for')
    expect(live.received).toMatch(/waits? for the lease: one worker renews the token at a time\./)
    // The longest words of the page have 20 characters. Tokens, their parts, secrets and keys in Redis are longer, or have no words.
    expect(live.received.match(/[\w+/=-]{24,}|eyJ|tokenward:/g)).toBeNull()
    await expect.poll(view.now, WAIT).toContain('The sample has ended or cannot be reached.')
  })
})
