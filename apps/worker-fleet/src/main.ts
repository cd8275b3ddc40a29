import { setTimeout as sleep } from 'node:timers/promises'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { hasRedis, startRedis } from '@tokenward/local-servers'
import { startFleet } from './fleet'
import { type SampleOptions, sampleOptions } from './options'
import type { Counts } from './protocol'
import { failed, table } from './table'

const DRAWN_EVERY_MS = 1_000
/** Where nobody watches, now and then is enough. */
const PRINTED_EVERY_MS = 5_000

/** Runs a fleet of workers against an authorization server, an API and a Redis of this machine. */
async function run({ processes, durationMs, lifetimeSeconds, callsPerSecond }: SampleOptions): Promise<void> {
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)

  const redis = await startRedis()
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
  const end = durationMs === undefined ? 'until Ctrl-C' : `for ${durationMs / 1_000} s`
  console.log(
    `${processes} processes share a token over Redis at ${new URL(redis.url).host} ${end}.`,
    `Tokens live ${lifetimeSeconds} s; each process makes about ${callsPerSecond} API calls a second.\n`,
  )
  const fleet = await startFleet({ processes, configuration })
  fleet.go()
  const startedAt = performance.now()
  if (durationMs !== undefined) sleep(durationMs, undefined, { signal: stopping.signal }).then(stop, () => {})
  const draw = painter(() => table(fleet.members))
  while (!stopping.signal.aborted) {
    await sleep(draw.everyMs, undefined, { signal: stopping.signal }).catch(() => {})
    draw()
  }
  const seconds = (performance.now() - startedAt) / 1_000
  await fleet.stop()
  draw()
  const rejected = catalog.requests.filter(({ status }) => status === 401).length
  const sum = (value: (counts: Counts) => number) => fleet.members.reduce((all, { counts }) => all + value(counts), 0)
  console.log(
    [
      '',
      'Summary',
      `  API requests       ${catalog.requests.length}`,
      `  calls that failed  ${sum(failed)}`,
      `  rejected tokens    ${rejected}`,
      `  token requests     ${provider.tokenRequests.length} by ${processes} processes in ${seconds.toFixed(1)} s, with tokens of ${lifetimeSeconds} s`,
    ].join('\n'),
  )
  await provider.close()
  await redis.stop()
}

/** Prints a text again and again: in its own place on a terminal, below itself elsewhere. */
function painter(text: () => string) {
  let lines = 0
  const draw = () => {
    const now = text()
    if (process.stdout.isTTY && lines > 0) process.stdout.write(`\u001b[${lines}A\u001b[J`)
    lines = now.split('\n').length
    console.log(process.stdout.isTTY ? now : `${now}\n`)
  }
  return Object.assign(draw, { everyMs: process.stdout.isTTY ? DRAWN_EVERY_MS : PRINTED_EVERY_MS })
}

let options: SampleOptions | undefined
try {
  options = sampleOptions(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
if (options && (await hasRedis())) await run(options)
else if (options) {
  console.error('There is no Redis: set REDIS_URL to one, or REDIS_BIN to a redis-server.')
  process.exitCode = 1
}
