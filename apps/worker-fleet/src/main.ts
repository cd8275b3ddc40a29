import { setTimeout as sleep } from 'node:timers/promises'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { startRedis, type TestRedis } from '@tokenward/local-servers'
import { ApiTally } from './api-tally'
import { startFleet } from './fleet'
import { watch } from './live-view/watch'
import { type SampleOptions, sampleOptions } from './options'
import type { Counts } from './protocol'
import { failed, table } from './table'

const TERMINAL_INTERVAL_MS = 1_000
/** For output that goes to a file or a pipe. */
const FILE_INTERVAL_MS = 5_000

/** Runs a fleet of workers against an authorization server, an API and a Redis on this machine. */
async function run(options: SampleOptions, redis: TestRedis): Promise<void> {
  const { processes, durationMs, lifetimeSeconds, callsPerSecond } = options
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)

  const provider = await startIdentityProvider({ tokenLifetimeSeconds: lifetimeSeconds })
  const { clientId, clientSecret } = provider.client('catalog.client')
  const { tokenEndpoint, catalog } = provider
  const configuration = {
    redisUrl: redis.url,
    tokenEndpoint,
    clientId,
    clientSecret,
    catalogUrl: catalog.baseURL,
    callsPerSecond,
  }
  // Only the host and port, because the URL may have a password.
  const address = URL.canParse(redis.url) ? new URL(redis.url).host : ''
  const duration = durationMs === undefined ? 'until Ctrl-C' : `for ${durationMs / 1_000} s`
  console.log(
    `${processes} processes share a token over Redis${address && ` at ${address}`} ${duration}.`,
    `Tokens live ${lifetimeSeconds} s; each process makes about ${callsPerSecond} API calls a second.\n`,
  )
  const fleet = await startFleet({ processes, configuration })
  fleet.go()
  const startedAt = performance.now()
  if (durationMs !== undefined) sleep(durationMs, undefined, { signal: stopping.signal }).then(stop, () => {})
  const tally = new ApiTally(catalog)
  const draw = painter(() => table(fleet.members))
  while (!stopping.signal.aborted) {
    await sleep(draw.intervalMs, undefined, { signal: stopping.signal }).catch(() => {})
    tally.update()
    draw()
  }
  const seconds = (performance.now() - startedAt) / 1_000
  await fleet.stop()
  draw()
  tally.update()
  const sum = (value: (counts: Counts) => number) => fleet.members.reduce((all, { counts }) => all + value(counts), 0)
  const summary = {
    processes,
    'API calls': sum(({ calls }) => calls),
    'failed calls': sum(failed),
    'API requests': tally.requests,
    'rejected by the API': tally.rejected,
    'token requests': `${provider.tokenRequests.length} in ${seconds.toFixed(1)} s (tokens live ${lifetimeSeconds} s)`,
    'different tokens used': tally.tokens,
  }
  console.log(['', 'Summary', ...Object.entries(summary).map(([what, n]) => `  ${what.padEnd(22)} ${n}`)].join('\n'))
  await provider.close()
  await redis.stop()
}

/** Returns a function that prints the current text. On a terminal it replaces the text that it printed before. */
function painter(text: () => string) {
  let lines = 0
  const draw = () => {
    const now = text()
    if (process.stdout.isTTY && lines > 0) process.stdout.write(`\u001b[${lines}A\u001b[J`)
    lines = now.split('\n').length
    console.log(process.stdout.isTTY ? now : `${now}\n`)
  }
  return Object.assign(draw, { intervalMs: process.stdout.isTTY ? TERMINAL_INTERVAL_MS : FILE_INTERVAL_MS })
}

let options: SampleOptions | undefined
let redis: TestRedis | undefined
try {
  options = sampleOptions(process.argv.slice(2))
  if (options.watchPort === undefined) redis = await startRedis()
  else await watch(options, options.watchPort)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = options ? 1 : 2
}
if (options && redis) await run(options, redis)
