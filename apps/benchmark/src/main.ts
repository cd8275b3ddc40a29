import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { createTokenManager } from '@tokenward/core'
import { contests } from './clients'

const REQUESTS = 1_000
const CONCURRENCY = 50
const ROUNDS = 15

const server = fork(fileURLToPath(new URL('server.js', import.meta.url)))
const port = await new Promise<number>((resolve) => server.once('message', (message) => resolve(Number(message))))
const tokens = createTokenManager({
  clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 'secret' } },
  // The token endpoint is no subject here: one token serves the whole run.
  requester: {
    request: async () => ({ access_token: 'a-token-of-the-benchmark', token_type: 'Bearer', expires_in: 3_600 }),
  },
})

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
for (const { name, plain, authorized } of contests(tokens, `http://127.0.0.1:${port}`)) {
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
