import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { Agent } from 'undici'
import { startLightApi } from '../server/light-api'

/*
 * Measures what a request through `tokenward proxy` costs, next to a proxy that only forwards. The API and the client run in
 * this process; each proxy runs in its own. They take turns, and the medians of the rounds are shown.
 */

const ROUNDS = 15
const REQUESTS = 400
const CONCURRENCIES = [1, 50]
/** Of /proc/PID/stat, on Linux. */
const TICKS_PER_SECOND = 100

interface Proxy {
  readonly name: string
  readonly origin: string
  /** Sent by the client, where the proxy does not add it. */
  readonly headers: Readonly<Record<string, string>>
  /** CPU time so far, in milliseconds. */
  cpuMs(): number
  stop(): Promise<void>
}

async function startProxy(
  name: string,
  args: readonly string[],
  headers: Proxy['headers'],
  secret = '',
): Promise<Proxy> {
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  child.stdin.end(secret)
  const [line] = await once(child.stdout.setEncoding('utf8'), 'data')
  const [, origin = ''] = /^forwards (\S+) to /.exec(String(line)) ?? []
  return {
    name,
    origin,
    headers,
    cpuMs() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      return ((Number(fields[11]) + Number(fields[12])) * 1_000) / TICKS_PER_SECOND
    },
    async stop() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'exit')
    },
  }
}

async function send(agent: Agent, { origin, headers }: Proxy): Promise<void> {
  const { statusCode, body } = await agent.request({ origin, path: '/test', method: 'GET', headers })
  await body.dump()
  if (statusCode !== 200) throw new Error(`${origin} responded ${statusCode}`)
}

async function sendAll(agent: Agent, proxy: Proxy, concurrency: number): Promise<void> {
  let left = REQUESTS
  const loop = async () => {
    while (left-- > 0) await send(agent, proxy)
  }
  await Promise.all(Array.from({ length: concurrency }, loop))
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const provider = await startIdentityProvider()
const { clientId, clientSecret } = provider.client('invoice.client')
const api = await startLightApi(async (authorization) => authorization.startsWith('Bearer '))
const cli = fileURLToPath(new URL('../../../packages/cli/dist/main.js', import.meta.url))
const plain = fileURLToPath(new URL('./plain-proxy.js', import.meta.url))
const client = ['--issuer', provider.issuer, '--client-id', clientId, '--client-secret-file', '-', '--scope', 'invoice']
const proxies = [
  await startProxy('a plain proxy', [plain, new URL(api.baseURL).origin], { authorization: 'Bearer fixed' }),
  await startProxy('tokenward proxy', [cli, 'proxy', '--port', '0', '--to', api.baseURL, ...client], {}, clientSecret),
]
const agent = new Agent({ connections: 64 })

for (const concurrency of CONCURRENCIES) {
  const results = proxies.map(() => ({ us: [] as number[], cpuUs: [] as number[] }))
  for (let round = -3; round < ROUNDS; round++) {
    for (const [index, proxy] of proxies.entries()) {
      const cpuBefore = proxy.cpuMs()
      const startedAt = performance.now()
      await sendAll(agent, proxy, concurrency)
      if (round < 0) continue
      results[index]?.us.push(((performance.now() - startedAt) * 1_000) / REQUESTS)
      results[index]?.cpuUs.push(((proxy.cpuMs() - cpuBefore) * 1_000) / REQUESTS)
    }
  }
  for (const [index, { us, cpuUs }] of results.entries()) {
    const cpu = cpuUs.reduce((sum, each) => sum + each, 0) / cpuUs.length
    console.log(
      `${proxies[index]?.name}, ${concurrency} at a time: ${median(us).toFixed(0)} µs a request, ${cpu.toFixed(0)} µs of CPU`,
    )
  }
  const ratios = results[1]?.us.map((us, round) => us / (results[0]?.us[round] ?? us)) ?? []
  console.log(`time, tokenward ÷ plain: ${median(ratios).toFixed(2)}`)
}

await agent.close()
await Promise.all(proxies.map((proxy) => proxy.stop()))
await Promise.all([api.close(), provider.close()])
