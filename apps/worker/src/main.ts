import { setTimeout as sleep } from 'node:timers/promises'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { ActivityLog } from './activity-log'
import { type SampleOptions, sampleOptions } from './options'
import { startPlatform } from './platform'
import { type SampleRedis, startSampleRedis } from './redis'
import { createSampleTokens, type SampleEnvironment } from './tokens'

/** Runs the sample workers against an authorization server and APIs on this machine, and prints what happens. */
async function run(
  { workers, durationMs, operationsPort }: SampleOptions,
  redis: SampleRedis | undefined,
): Promise<void> {
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)

  const platform = await startPlatform()
  const provider = await startIdentityProvider({ clients: platform.clients, tokenLifetimeSeconds: 5 })
  provider.setTokenLifetime(8, 'invoice.client')
  await platform.startWritingTokens(provider.issuer)
  const environment: SampleEnvironment = {
    issuer: provider.issuer,
    tokenEndpoint: provider.tokenEndpoint,
    catalogUrl: provider.catalog.baseURL,
    invoiceUrl: provider.invoice.baseURL,
    catalogClient: provider.client('catalog.client'),
    invoiceClient: provider.client('invoice.client'),
    keyClient: { ...provider.client('key.client'), privateKey: platform.privateKey },
    dpopClient: provider.client('dpop.client'),
    workloadClient: { ...provider.client('workload.client'), tokenFile: platform.tokenFile },
  }
  const tokens = createSampleTokens(environment, redis?.store)
  // Loaded only when it is needed, because the SDK of OpenTelemetry is large.
  const { startOperations } = operationsPort === undefined ? {} : await import('./operations')
  const operations = await startOperations?.(tokens, operationsPort ?? 0)
  const log = new ActivityLog(provider)
  log.watch(tokens)
  const names = workers.map(([name]) => name).join(', ')
  const duration = durationMs === undefined ? 'until Ctrl-C' : `for ${durationMs / 1_000} s`
  const kept = redis ? `, with tokens kept in Redis at ${redis.address}` : ''
  console.log(`Workers (${names}) call the APIs of ${provider.issuer} ${duration}${kept}.`)
  if (operations) console.log(`Metrics: ${operations.origin}/metrics, readiness: ${operations.origin}/ready.`)
  console.log('Tokens live 5 s (invoice.client: 8 s).\n')

  const running = workers.map(([name, worker]) =>
    worker({
      tokens,
      environment,
      stop: stopping.signal,
      report: (text, apiCalls) => log.printRound(name, text, apiCalls),
    }),
  )
  if (durationMs !== undefined)
    sleep(durationMs, undefined, { signal: stopping.signal, ref: false }).then(stop, () => {})
  await Promise.all([...running, causeFaults()])
  await operations?.close()
  await tokens.close()
  await redis?.close()
  await provider.close()
  await platform.close()
  console.log(log.summary())

  /** Causes one revocation and one failure of the token endpoint, so that the output shows how workers get over them. */
  async function causeFaults(): Promise<void> {
    const wait = (ms: number) => sleep(ms, undefined, { signal: stopping.signal })
    try {
      await wait(10_500)
      provider.revokeIssued()
      log.print('server', 'all tokens issued so far are revoked: the APIs reject them')
      await wait(4_000)
      provider.tokenEndpointFaults.fail(2, { status: 503 })
      log.print('server', 'the token endpoint responds 503 to the next 2 requests')
    } catch {
      // The sample was stopped before.
    }
  }
}

let options: SampleOptions | undefined
let redis: SampleRedis | undefined
try {
  options = sampleOptions(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
try {
  if (options?.redis) redis = await startSampleRedis()
} catch (error) {
  options = undefined
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
if (options) await run(options, redis)
