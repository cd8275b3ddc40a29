import { execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { prometheusProgram, startPrometheusProcess, until } from '@tokenward/local-servers'
import { describe, expect, onTestFinished, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const shipped = fileURLToPath(new URL('../../../packages/opentelemetry/', import.meta.url))
const alertCases = fileURLToPath(new URL('./alerts.cases.yml', import.meta.url))
const alerts = join(shipped, 'prometheus/alerts.yml')

interface Panel {
  readonly id: number
  readonly title: string
  readonly description: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly refId: string; readonly expr: string }[]
}
const dashboard: { readonly panels: readonly Panel[] } = JSON.parse(
  readFileSync(join(shipped, 'grafana/dashboard.json'), 'utf8'),
)

/** Starts the sample with `--otel`. @returns the origin of its metrics */
async function startSample(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [main, '--otel', '--port', '0', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', (text) => (output += text))
  child.stderr.on('data', (text) => (output += text))
  const found = () => /Metrics: (http:\/\/127\.0\.0\.1:\d+)\/metrics/.exec(output)?.[1]
  await until(`the sample prints where its metrics are`, async () => found() !== undefined)
  return String(found())
}

test('--otel serves metrics and the readiness, on this machine only', async () => {
  const origin = await startSample('--forever')
  await until('a token was used', async () => (await text(`${origin}/metrics`)).includes('tokenward_token_uses_total{'))
  const ready = await fetch(`${origin}/ready`)
  expect(ready.status).toBe(200)
  const status = await ready.json()
  expect(status).toMatchObject({ isClosed: false, clients: { 'catalog.client': { circuit: 'closed' } } })
  expect(JSON.stringify(status)).not.toContain('eyJ')
  expect(await text(`${origin}/metrics`)).not.toContain('eyJ')
  expect((await fetch(`${origin}/other`)).status).toBe(404)
})

test('the dashboard has panels that do not overlap, each with a title, a description and its own id', () => {
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  expect(dashboard.panels.every(({ gridPos: { x, w } }) => x + w <= 24)).toBe(true)
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length)
  for (const { title, description, targets } of dashboard.panels) {
    expect([title, description, targets.length]).toEqual([
      expect.any(String),
      expect.stringMatching(/\.$/),
      expect.any(Number),
    ])
  }
})

// prometheusProgram says so loudly when there is no Prometheus, and throws when CI is set.
describe.skipIf(!(await prometheusProgram()))('with a real Prometheus', () => {
  test('it scrapes the sample, and accepts every query of the dashboard and every alert', async () => {
    const origin = await startSample('--forever')
    const server = await startPrometheusProcess({ targets: [new URL(origin).host], ruleFiles: [alerts] })
    onTestFinished(() => server.stop())
    const api = `http://127.0.0.1:${server.port}/api/v1`
    const query = async (expr: string) => {
      const response = await fetch(`${api}/query`, { method: 'POST', body: new URLSearchParams({ query: expr }) })
      const { status, error, data } = (await response.json()) as Response
      expect([expr, status, error]).toEqual([expr, 'success', undefined])
      return data.result
    }
    // Two scrapes, so that there are rates.
    await until(
      'there is a rate',
      async () => (await query('sum(rate(tokenward_token_uses_total[1m])) > 0')).length > 0,
    )

    // These need a store, DPoP, or something that the sample does later.
    const mayBeEmpty = [
      'DPoP nonce retries',
      'Failed token requests by error',
      'Failures of the token store',
      'Step-ups that APIs demanded',
      'Tokens rejected by APIs (401)',
    ]
    const emptyPanels = async () => {
      const results = new Map<string, number>()
      for (const { title, targets } of dashboard.panels) {
        for (const { expr } of targets) results.set(title, (await query(filledIn(expr))).length)
      }
      const empty = [...results].filter(([, found]) => found === 0).map(([title]) => title)
      return empty.filter((title) => !mayBeEmpty.includes(title))
    }
    await expect.poll(emptyPanels).toEqual([])

    await until('every alert was evaluated', async () =>
      (await rules(api)).every(({ lastEvaluation }) => new Date(lastEvaluation).getTime() > 0),
    )
    const evaluated = await rules(api)
    expect(evaluated.map(({ name, health, lastError }) => [name, health, lastError])).toEqual(
      alertNames().map((name) => [name, 'ok', undefined]),
    )
  })

  test('promtool finds nothing wrong with the alerts, and they fire when they should', async () => {
    const program = await prometheusProgram()
    const promtool = join(dirname(String(program?.path)), 'promtool')
    expect(existsSync(promtool)).toBe(true)
    const run = promisify(execFile)
    const { stdout } = await run(promtool, ['check', 'rules', alerts], { env: program?.env })
    expect(stdout).toContain(`SUCCESS: ${alertNames().length} rules found`)
    const { stdout: tested } = await run(promtool, ['test', 'rules', alertCases], { env: program?.env })
    expect(tested).toContain('SUCCESS')
    const cases = readFileSync(alertCases, 'utf8')
    expect(alertNames().filter((name) => !cases.includes(`alertname: ${name}`))).toEqual([])
  })
})

test('each alert is explained in the documentation', () => {
  const page = readFileSync(join(shipped, '../../docs/operations.md'), 'utf8')
  expect(alertNames().filter((name) => !page.includes(`| \`${name}\` |`))).toEqual([])
})

interface Response {
  readonly status: string
  readonly error?: string
  readonly data: { readonly result: readonly unknown[] }
}

interface Rule {
  readonly name: string
  readonly health: string
  readonly lastError?: string
  readonly lastEvaluation: string
}

async function rules(api: string): Promise<Rule[]> {
  const { data } = (await (await fetch(`${api}/rules`)).json()) as { data: { groups: { rules: Rule[] }[] } }
  return data.groups.flatMap((group) => group.rules)
}

const text = async (url: string) => (await fetch(url)).text()

const alertNames = () => [...readFileSync(alerts, 'utf8').matchAll(/- alert: (\w+)/g)].map(([, name]) => String(name))

/** As Grafana fills in the variables of a dashboard. */
function filledIn(expr: string): string {
  const values = { $__rate_interval: '1m', $window: '1m', $job: '.*', $client: '.*' }
  return Object.entries(values).reduce((result, [name, value]) => result.replaceAll(name, value), expr)
}
