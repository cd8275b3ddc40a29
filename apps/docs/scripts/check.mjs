// Checks the built site: every link leads somewhere, and in a real browser each page is readable in light and dark, narrow and wide,
// by keyboard and by screen readers (axe-core), needs no other server, and the search finds things.
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromiumProgram } from '@tokenward/local-servers'
import axe from 'axe-core'
import { chromium } from 'playwright-core'

const site = fileURLToPath(new URL('../.vitepress/dist', import.meta.url))
if (!existsSync(site)) throw new Error('there is no site. Run `pnpm docs` first.')
const pages = globSync('**/*.html', { cwd: site }).map((path) => path.replaceAll('\\', '/'))
const problems = new Set()

/** The file of the site that a path leads to. */
function fileOf(path) {
  const candidates = [path, `${path}.html`, posix.join(path, 'index.html')]
  return candidates.find((each) => existsSync(join(site, each)) && statSync(join(site, each)).isFile())
}

function checkLinks() {
  const ids = new Map(
    pages.map((page) => {
      const html = readFileSync(join(site, page), 'utf8')
      return [page, { html, ids: new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id)) }]
    }),
  )
  let count = 0
  for (const [page, { html }] of ids) {
    for (const [, target] of html.matchAll(/\s(?:href|src)="([^"]+)"/g)) {
      const { origin, pathname, hash } = new URL(target.replaceAll('&amp;', '&'), `http://site/${page}`)
      if (origin !== 'http://site') continue
      count += 1
      const file = fileOf(decodeURIComponent(pathname.slice(1)))
      if (!file) problems.add(`${page}: ${target} leads nowhere`)
      else if (hash.length > 1 && !ids.get(file)?.ids.has(decodeURIComponent(hash.slice(1))))
        problems.add(`${page}: ${target} has no such heading`)
    }
  }
  return count
}

const TYPES = {
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2',
}

async function serveSite() {
  const server = createServer(({ url = '/' }, response) => {
    const file = fileOf(decodeURIComponent(new URL(url, 'http://site').pathname.slice(1)))
    if (!file) return response.writeHead(404).end()
    response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream')
    return response.end(readFileSync(join(site, file)))
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { server, origin: `http://127.0.0.1:${server.address().port}` }
}

/** A page of the browser that reports its errors, and requests to other servers. */
async function openTab(browser, origin, options) {
  const context = await browser.newContext({ ...options, reducedMotion: 'reduce' })
  const tab = await context.newPage()
  const report = (what) => problems.add(`${new URL(tab.url()).pathname}: ${what}`)
  tab.on('pageerror', (error) => report(String(error)))
  tab.on('console', (message) => message.type() === 'error' && report(message.text()))
  tab.on(
    'response',
    (response) => response.status() >= 400 && report(`${response.url()} responds ${response.status()}`),
  )
  tab.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(origin))
      report(`a request to ${request.url()}`)
  })
  return { tab, report, close: () => context.close() }
}

const AXE_OPTIONS = {
  resultTypes: ['violations'],
  // The theme shows the keys of its search button as text, and its name leaves them out.
  rules: { 'label-content-name-mismatch': { enabled: false } },
}

async function checkLook(browser, origin, { width, colorScheme }, paths) {
  const { tab, report, close } = await openTab(browser, origin, { viewport: { width, height: 900 }, colorScheme })
  const how = `${width} px, ${colorScheme}`
  for (const path of paths) {
    await tab.goto(`${origin}/${path}`)
    const overflow = await tab.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (overflow > 0) report(`${overflow} px wider than the window (${how})`)
    await tab.evaluate(axe.source)
    const { violations } = await tab.evaluate((options) => globalThis.axe.run(document, options), AXE_OPTIONS)
    for (const { id, help, nodes } of violations)
      report(
        `${id}: ${help} (${how}): ${nodes.length} times, first ${nodes[0].html.slice(0, 150)} ${nodes[0].failureSummary?.replace(/\s+/g, ' ').slice(0, 200)}`,
      )
  }
  await close()
}

async function checkKeyboard(browser, origin) {
  const { tab, report, close } = await openTab(browser, origin, { viewport: { width: 1280, height: 900 } })
  await tab.goto(`${origin}/getting-started.html`, { waitUntil: 'networkidle' })
  const reached = new Set()
  for (let presses = 0; presses < 150; presses += 1) {
    await tab.keyboard.press('Tab')
    const focused = await tab.evaluate(() => {
      const { activeElement: element } = document
      if (!element || element === document.body) return undefined
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element)
      const name = (element.getAttribute('aria-label') ?? element.textContent ?? '').trim()
      const { width, height } = element.getBoundingClientRect()
      const isMarked = (outlineStyle !== 'none' && outlineWidth !== '0px') || boxShadow !== 'none'
      return { name, tag: element.tagName, isMarked, isVisible: width > 0 && height > 0 }
    })
    if (!focused) break
    if (!focused.isMarked)
      report(`by keyboard, the focus on ${focused.tag} '${focused.name.slice(0, 40)}' cannot be seen`)
    if (!focused.isVisible)
      report(`by keyboard, ${focused.tag} '${focused.name.slice(0, 40)}' has the focus, but no size`)
    reached.add(focused.name)
  }
  for (const name of ['Skip to content', 'Getting started', 'Command line', 'Security'])
    if (![...reached].some((each) => each.includes(name))) report(`'${name}' cannot be reached by keyboard`)
  await close()
}

async function checkSearch(browser, origin) {
  const { tab, report, close } = await openTab(browser, origin, { viewport: { width: 1280, height: 900 } })
  await tab.goto(`${origin}/getting-started.html`, { waitUntil: 'networkidle' })
  for (const [words, page] of [
    ['invalid_client', '/why-no-token'],
    ['proofs nonce DPoP', '/dpop'],
    ['exit codes', '/cli'],
  ]) {
    await tab.locator('#local-search button').first().click()
    await tab.locator('.VPLocalSearchBox input').fill(words, { timeout: 10_000 })
    const first = tab.locator(`.VPLocalSearchBox .results a[href*="${page}"]`).first()
    await first.waitFor({ timeout: 10_000 }).catch(() => report(`the search for '${words}' does not find ${page}`))
    await tab.keyboard.press('Escape')
  }
  await close()
}

const links = checkLinks()
const program = await chromiumProgram()
if (!program) throw new Error('no Chromium was found, and none could be downloaded: set CHROMIUM_BIN')
const { server, origin } = await serveSite()
// As root, Chromium only starts without its sandbox.
const browser = await chromium.launch({
  executablePath: program.path,
  env: program.env,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
})
// The pages of the reference are alike: one of each kind.
// No user opens 404.html by its name.
const looked = pages.filter(
  (page) =>
    page !== '404.html' && (!page.startsWith('reference/') || /^reference\/(index|@tokenward\/core)/.test(page)),
)
try {
  for (const width of [360, 1280])
    for (const colorScheme of ['light', 'dark']) await checkLook(browser, origin, { width, colorScheme }, looked)
  await checkKeyboard(browser, origin)
  await checkSearch(browser, origin)
} catch (error) {
  problems.add(String(error))
} finally {
  await browser.close()
  server.close()
}
for (const problem of problems) console.error(problem)
console.log(`${links} links of ${pages.length} pages; ${looked.length} pages in a browser: ${problems.size} problems`)
process.exitCode = problems.size > 0 ? 1 : 0
