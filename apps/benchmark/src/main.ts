import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createTokenManager } from '@tokenward/core'
import { comparisons } from './clients'

const REQUESTS = 1_000
const CONCURRENCY = 50
const ROUNDS = 11

const server = fork(fileURLToPath(new URL('server.js', import.meta.url)))
/** What the server process sends when it is ready. */
interface ServerAddress {
  readonly tokenEndpoint: string
  readonly baseURL: string
  readonly clientId: string
  readonly clientSecret: string
}
const { baseURL, ...client } = await new Promise<ServerAddress>((resolve) =>
  server.once('message', (message) => resolve(message as ServerAddress)),
)
const tokens = createTokenManager({ clients: { c: { ...client, scope: 'catalog' } } })
const { value } = await tokens.getAccessToken('c')

/** Makes `REQUESTS` calls, `CONCURRENCY` of them at a time. Returns how long all of them took, in milliseconds. */
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
for (const { name, plain, authorized } of comparisons(tokens, baseURL, value)) {
  const times = { plain: [] as number[], authorized: [] as number[] }
  // The first round only warms up. The two take turns, so that other load on the machine affects both.
  for (let round = 0; round <= ROUNDS; round++) {
    const measured = { plain: await time(plain), authorized: await time(authorized) }
    if (round === 0) continue
    times.plain.push(measured.plain)
    times.authorized.push(measured.authorized)
  }
  const [fixedMs, tokensMs] = [median(times.plain), median(times.authorized)]
  rows.push({
    client: name,
    'fixed header (ms)': Number(fixedMs.toFixed(1)),
    'tokenward (ms)': Number(tokensMs.toFixed(1)),
    'difference per request (µs)': Math.round(((tokensMs - fixedMs) / REQUESTS) * 1_000),
    ratio: Number((tokensMs / fixedMs).toFixed(3)),
  })
}
console.log(`Time of ${REQUESTS} requests, ${CONCURRENCY} at a time. Medians of ${ROUNDS} rounds.\n`)
console.table(rows)
server.disconnect()
process.exit()
