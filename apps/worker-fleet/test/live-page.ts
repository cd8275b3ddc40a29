import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromiumProgram } from '@tokenward/local-servers'
import axe from 'axe-core'
import { type Browser, chromium, type Locator, type Page } from 'playwright-core'
import { expect } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

/** Longer than any state of the page takes to come, also on a slow machine. */
export const WAIT = { timeout: 60_000, interval: 50 }
export const WORKERS = ['worker-1', 'worker-2', 'worker-3'] as const

/** Without these, Chromium looks up hosts of its vendor at every start. As root, it only starts without its sandbox. */
const CHROMIUM_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'].concat([
  '--disable-background-networking',
  '--disable-component-update',
])

/** The sample with `--watch`, and its page in a real browser. */
export interface LivePage {
  readonly page: Page
  readonly url: string
  /** Errors on the page, and requests to other origins. */
  readonly problems: readonly string[]
  /** Everything that the server sent as the state, and what buttons responded. */
  readonly received: string
  /** Ends the sample, as Ctrl-C does. Resolves to its exit code. */
  endSample(): Promise<number | null>
  close(): Promise<void>
}

export async function openLivePage(): Promise<LivePage> {
  const sample = spawn(process.execPath, [main, '--watch', ...OPTIONS], { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = once(sample, 'close') as Promise<[code: number | null]>
  const [url, browser] = await Promise.all([printedUrl(sample), launch()])
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } })
  const problems: string[] = []
  page.on('pageerror', (error) => problems.push(String(error)))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) problems.push(`a request to ${request.url()}`)
  })
  let received = ''
  const session = await page.context().newCDPSession(page)
  await session.send('Network.enable')
  session.on('Network.eventSourceMessageReceived', ({ data }) => (received += data))
  page.on('response', async (response) => {
    if (response.request().method() === 'POST') received += await response.text().catch(() => '')
  })
  await page.goto(url)
  return {
    page,
    url,
    problems,
    get received() {
      return received
    },
    async endSample() {
      sample.kill('SIGINT')
      const [code] = await closed
      return code
    },
    async close() {
      await browser.close()
      sample.kill('SIGKILL')
      await closed
    },
  }
}

/** Tokens live so long that none expires during the tests, however slow the machine is. The tests skip ahead. */
const OPTIONS = ['--processes', String(WORKERS.length), '--lifetime', '3600', '--latency', '100']

async function printedUrl({ stdout }: ChildProcess): Promise<string> {
  if (!stdout) throw new Error('the sample has no output')
  for await (const line of createInterface(stdout)) {
    const [url] = /http:\/\/\S+/.exec(line) ?? []
    if (url) return url
  }
  throw new Error('the sample printed no URL')
}

async function launch(): Promise<Browser> {
  const program = await chromiumProgram()
  if (!program) throw new Error('no Chromium was found')
  return chromium.launch({ executablePath: program.path, args: CHROMIUM_ARGS, env: program.env })
}

/** What the page shows. */
export function shown(page: Page) {
  const text = async (selector: string) => (await page.locator(selector).textContent()) ?? ''
  const count = async (selector: string) => Number((await text(selector)).replaceAll(',', ''))
  return {
    text,
    now: () => text('#now'),
    log: () => text('#log'),
    calls: () => count('#calls'),
    failedCalls: () => count('#failed'),
    tokenRequests: () => count('#token-requests'),
    /** The number of the token that each worker uses, for example `token 3`. */
    tokens: () => Promise.all(WORKERS.map(async (name) => (await text(worker(name))).match(/token \d+/)?.[0])),
    /** The process of each worker. */
    pids: () => Promise.all(WORKERS.map(async (name) => (await text(worker(name))).match(/pid \d+/)?.[0])),
  }
}

const worker = (name: string) => `[data-worker="${name}"]`

/** The description of a button, as a screen reader finds it. */
export function descriptionOf(button: Locator): Promise<string> {
  return button.evaluate(
    (each) => document.getElementById(each.getAttribute('aria-describedby') ?? '')?.textContent ?? '',
  )
}

export const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click()

/** Moves the workers' clocks to the next stage of their token. The sample refuses that while a renewal is under way. */
export async function skipAhead(page: Page): Promise<void> {
  const skip = async () => {
    const [response] = await Promise.all([page.waitForResponse(/commands\/skip$/), press(page, 'Skip ahead')])
    return response.text()
  }
  await expect.poll(skip, WAIT).toContain('clocks ahead')
}

/** Runs axe in the page. Returns what it found: rule and element. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  // By the debugger's protocol, because the policy of the page forbids scripts of other origins.
  const session = await page.context().newCDPSession(page)
  const evaluate = (expression: string) =>
    session.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
  await evaluate(axe.source)
  const { result } = await evaluate(
    'axe.run().then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html)))',
  )
  await session.detach()
  return result.value as string[]
}
