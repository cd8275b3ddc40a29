import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createTokenManager } from '@tokenward/core'
import { contests } from './clients'

const REQUESTS = 1_000
const CONCURRENCY = 50
const ROUNDS = 11

const server = fork(fileURLToPath(new URL('server.js', import.meta.url)))
interface Served {
  readonly tokenEndpoint: string
  readonly baseURL: string
  readonly clientId: string
  readonly clientSecret: string
}
const { baseURL, ...client } = await new Promise<Served>((resolve) =>
  server.once('message', (message) => resolve(message as Served)),
)
const tokens = createTokenManager({ clients: { c: { ...client, scope: 'catalog' } } })
const { value } = await tokens.getAccessToken('c')

/** Milliseconds for all requests, `CONCURRENCY` of them under way at any time. */
async function time(call: () => Promise<unknown>): Promise<number> {
  let left = REQUESTS
  const startedAt = performance.now()
  const worker = async () => {
    while (left-- > 0) await call()
  }
  await Promise.all(Array.from({ length: CONCURRENCY }, worker))
  return performance.now() - startedAt
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

const rows = []
for (const { name, plain, authorized } of contests(tokens, baseURL, value)) {
  const times = { plain: [] as number[], authorized: [] as number[] }
  // The first round of each is for warming up. They take turns, so that what else the machine does meets both.
  for (let round = 0; round <= ROUNDS; round++) {
    const measured = { plain: await time(plain), authorized: await time(authorized) }
    if (round === 0) continue
    times.plain.push(measured.plain)
    times.authorized.push(measured.authorized)
  }
  const [fixed, withTokens] = [median(times.plain), median(times.authorized)]
  rows.push({
    client: name,
    'fixed header (ms)': Number(fixed.toFixed(1)),
    'with tokens (ms)': Number(withTokens.toFixed(1)),
    'per request (µs)': Math.round(((withTokens - fixed) / REQUESTS) * 1_000),
    times: Number((withTokens / fixed).toFixed(3)),
  })
}
console.log(`${REQUESTS} requests, ${CONCURRENCY} at a time; medians of ${ROUNDS} rounds\n`)
console.table(rows)
server.disconnect()
process.exit()
