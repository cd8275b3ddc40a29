import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { startRedis } from '@tokenward/local-servers'
import { QueueEvents } from 'bullmq'
import { catalogQueue, connectionTo, QUEUE, startBullmqWorker } from './bullmq-worker'
import { createFastifyService } from './fastify-service'
import { CatalogWorker, startNestWorker } from './nest-worker'
import { createHandler } from './serverless-handler'
import type { Settings } from './settings'

type Sample = (settings: Settings, provider: IdentityProvider) => Promise<void>

const samples: Readonly<Record<string, Sample>> = {
  async nest(settings) {
    const app = await startNestWorker(settings, false)
    console.log(`NestJS: ${(await app.get(CatalogWorker).list()).length} items`)
    await app.close()
  },

  async bullmq(settings) {
    const redis = await startRedis()
    const queue = catalogQueue(redis.url)
    const events = new QueueEvents(QUEUE, { connection: connectionTo(redis.url) })
    const workers = [startBullmqWorker(settings, redis.url), startBullmqWorker(settings, redis.url)]
    const jobs = await queue.addBulk(Array.from({ length: 8 }, () => ({ name: 'list', data: { path: 'list' } })))
    const statuses = await Promise.all(jobs.map((job) => job.waitUntilFinished(events)))
    console.log(`BullMQ: ${statuses.filter((status) => status === 200).length} of ${jobs.length} jobs succeeded`)
    await Promise.all(workers.map((worker) => worker.close()))
    await Promise.all([events.close(), queue.close()])
    await redis.stop()
  },

  async fastify(settings) {
    const app = await createFastifyService(settings)
    const origin = await app.listen({ host: '127.0.0.1', port: 0 })
    const response = await fetch(`${origin}/names`)
    console.log(`Fastify: ${response.status} ${await response.text()}`)
    await app.close()
  },

  async cron(settings) {
    const { issuer, clientId, clientSecret, api } = settings
    const env = { ...process.env, ISSUER: issuer, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, API_URL: api }
    const job = fileURLToPath(new URL('cron-job.js', import.meta.url))
    const child = spawn(process.execPath, [job], { env, stdio: 'inherit' })
    const [code] = await once(child, 'exit')
    console.log(`cron: the job ended by itself, with exit code ${code}`)
  },

  async serverless(settings, provider) {
    const handler = createHandler(settings)
    const responses = [await handler(), await handler()]
    const statuses = responses.map(({ statusCode }) => statusCode).join(', ')
    console.log(`serverless: two calls, ${statuses}, and ${provider.tokenRequests.length} token request`)
  },
}

const names = Object.keys(samples)
const [name = ''] = process.argv.slice(2)
const chosen = name === '' ? names : [name]
if (!chosen.every((each) => Object.hasOwn(samples, each))) {
  console.error(`There is no sample '${name}'. Choose one of ${names.join(', ')}, or none for all of them.`)
  process.exit(2)
}
for (const each of chosen) {
  const provider = await startIdentityProvider()
  const { clientId, clientSecret } = provider.client('catalog.client')
  const settings = { issuer: provider.issuer, clientId, clientSecret, api: provider.catalog.baseURL }
  await samples[each]?.(settings, provider)
  await provider.close()
}
