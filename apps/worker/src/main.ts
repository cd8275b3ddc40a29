import { setTimeout as sleep } from 'node:timers/promises'
import { startIdentityProvider } from '@tokenward/identity-provider'
import { type SampleOptions, sampleOptions } from './options'
import { startPlatform } from './platform'
import { type SampleRedis, startSampleRedis } from './redis'
import { Story } from './story'
import { sampleTokens } from './tokens'

/** Runs the sample workers against an authorization server and APIs of this machine, and tells what happens. */
async function run({ workers, durationMs }: SampleOptions, redis: SampleRedis | undefined): Promise<void> {
  const stopping = new AbortController()
  const stop = () => stopping.abort()
  process.on('SIGINT', stop).on('SIGTERM', stop)

  const platform = await startPlatform()
  const provider = await startIdentityProvider({ clients: platform.clients, tokenLifetimeSeconds: 5 })
  provider.setTokenLifetime(8, 'invoice.client')
  await platform.project(provider.issuer)
  const environment = {
    tokenEndpoint: provider.tokenEndpoint,
    issuer: provider.issuer,
    catalog: { url: provider.catalog.baseURL, ...provider.client('catalog.client') },
    invoice: { url: provider.invoice.baseURL, ...provider.client('invoice.client') },
    keyClient: { ...provider.client('key.client'), privateKey: platform.privateKey },
    dpopClient: provider.client('dpop.client'),
    workload: { ...provider.client('workload.client'), tokenFile: platform.tokenFile },
  }
  const tokens = sampleTokens(environment, redis?.store)
  const story = new Story(provider)
  story.watch(tokens)
  const names = workers.map(([name]) => name).join(', ')
  const end = durationMs === undefined ? 'until Ctrl-C' : `for ${durationMs / 1_000} s`
  const kept = redis ? `, with tokens kept in Redis at ${redis.address}` : ''
  console.log(`Workers (${names}) call the APIs of ${provider.issuer} ${end}${kept}. Tokens live 5 s (invoice: 8 s).\n`)

  const context = { environment, tokens, store: redis?.store, stop: stopping.signal, watch: story.watch.bind(story) }
  const running = workers.map(([name, worker]) =>
    worker({ ...context, report: (text, apiCalls) => story.round(name, text, apiCalls) }),
  )
  const scenes = playScenes()
  if (durationMs !== undefined)
    sleep(durationMs, undefined, { signal: stopping.signal, ref: false }).then(stop, () => {})
  await Promise.all([...running, scenes])
  await tokens.close()
  await redis?.close()
  await provider.close()
  await platform.close()
  console.log(story.summary())

  /** What newcomers should see happen, once. */
  async function playScenes(): Promise<void> {
    const wait = (ms: number) => sleep(ms, undefined, { signal: stopping.signal })
    try {
      await wait(10_500)
      story.tell('scene', `the APIs reject all ${provider.revokeIssued()} tokens issued so far, as after a revocation`)
      await wait(4_000)
      provider.tokenEndpointFaults.fail(2, { status: 503 })
      story.tell('scene', 'the token endpoint fails the next 2 requests')
    } catch {
      // The workers were stopped before.
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
