import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import type { IdentityProvider } from '@tokenward/identity-provider'
import { hasRedis, startRedis, type TestRedis } from '@tokenward/local-servers'
import { SkippableClock, startProvider } from '@tokenward/test-support'
import { QueueEvents } from 'bullmq'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { catalogQueue, connectionTo, QUEUE, startBullmqWorker } from '../src/bullmq-worker'
import { createFastifyService } from '../src/fastify-service'
import { CatalogWorker, startNestWorker } from '../src/nest-worker'
import { createHandler } from '../src/serverless-handler'
import type { Settings } from '../src/settings'

const dist = (name: string) => fileURLToPath(new URL(`../dist/${name}`, import.meta.url))

/** Settings of a worker, and a clock by which its tokens expire. */
async function setUp() {
  const provider = await startProvider({ tokenLifetimeSeconds: 60 })
  return { provider, settings: settingsFor(provider), clock: new SkippableClock() }
}

function settingsFor(provider: IdentityProvider): Settings {
  const { clientId, clientSecret } = provider.client('catalog.client')
  return { issuer: provider.issuer, clientId, clientSecret, api: provider.catalog.baseURL }
}

/** Runs a program to its end. */
function run(file: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<{ code: unknown; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code : 0, output: stdout + stderr })
    })
  })
}

/** Calls, revokes, calls, lets the token expire, and calls again: a token request each time. */
async function expectToLast(
  { provider, clock }: { provider: IdentityProvider; clock: SkippableClock },
  call: () => Promise<unknown>,
  expected: unknown,
  processes = 1,
): Promise<void> {
  expect(await call()).toEqual(expected)
  provider.revokeIssued()
  expect(await call()).toEqual(expected)
  expect(provider.tokenRequests).toHaveLength(2)
  clock.skip(61_000)
  expect(await call()).toEqual(expected)
  const { length } = provider.tokenRequests
  expect(length).toBeGreaterThan(2)
  // The clock of the server does not skip, so each process finds the other's token expired.
  expect(length).toBeLessThanOrEqual(2 + processes)
}

test('NestJS: an injected client works after a revocation and across an expiry', async () => {
  const { provider, settings, clock } = await setUp()
  const app = await startNestWorker(settings, false, clock)
  onTestFinished(() => app.close())
  const items = await app.get(CatalogWorker).list()
  expect(items.length).toBeGreaterThan(0)
  await expectToLast({ provider, clock }, () => app.get(CatalogWorker).list(), items)
})

test('Fastify: a service that calls another API works after a revocation and across an expiry', async () => {
  const { provider, settings, clock } = await setUp()
  const app = await createFastifyService(settings, clock)
  onTestFinished(() => app.close())
  const call = async () => (await app.inject('/names')).statusCode
  await expectToLast({ provider, clock }, call, 200)
})

test('serverless: calls of one instance share a token, also after the platform has stopped the process for long', async () => {
  const { provider, settings, clock } = await setUp()
  const handler = createHandler(settings, clock)
  const call = async () => (await handler()).statusCode
  expect([await call(), await call()]).toEqual([200, 200])
  expect(provider.tokenRequests).toHaveLength(1)
  await expectToLast({ provider, clock }, call, 200)
  const statuses = provider.catalog.requests.map(({ status }) => status)
  // Only the revoked token was rejected: no expired one was sent.
  expect(statuses.filter((status) => status === 401)).toHaveLength(1)
})

test('cron: the job ends by itself, and its exit code says what happened', async () => {
  const { provider, settings } = await setUp()
  const env = {
    ISSUER: settings.issuer,
    CLIENT_ID: settings.clientId,
    CLIENT_SECRET: settings.clientSecret,
    API_URL: settings.api,
  }
  expect(await run(dist('cron-job.js'), [], env)).toEqual({ code: 0, output: 'the catalog responded with 200\n' })
  const wrong = await run(dist('cron-job.js'), [], { ...env, CLIENT_SECRET: 'wrong' })
  expect(wrong).toMatchObject({ code: 1, output: expect.stringContaining('invalid_client') })
  provider.tokenEndpointFaults.fail(Number.POSITIVE_INFINITY, { status: 503 })
  expect(await run(dist('cron-job.js'), [], env)).toMatchObject({ code: 75 })
  const missing = await run(dist('cron-job.js'), [], { ...env, ISSUER: '' })
  expect(missing).toMatchObject({ code: 1, output: expect.stringContaining('ISSUER is missing') })
})

test('an unknown sample is named, and so are those that there are', async () => {
  const { code, output } = await run(dist('main.js'), ['lambda'])
  expect(code).toBe(2)
  expect(output).toContain("no sample 'lambda'")
  expect(output).toContain('nest, bullmq, fastify, cron, serverless')
})

test.each([
  ['nest', /^NestJS: \d+ items\n$/],
  ['fastify', /^Fastify: 200 \[/],
  ['cron', /exit code 0\n$/],
  ['serverless', /two calls, 200, 200, and 1 token request\n$/],
])('the sample %s runs and ends', async (name, expected) => {
  const { code, output } = await run(dist('main.js'), [name])
  expect(output).toMatch(expected)
  expect(code).toBe(0)
})

describe.skipIf(!(await hasRedis()))('BullMQ', () => {
  let redis: TestRedis
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis?.stop())

  test('the jobs of two workers share a token, after a revocation and across an expiry', async () => {
    const { provider, settings, clock } = await setUp()
    const workers = [1, 2].map(() => startBullmqWorker(settings, redis.url, clock))
    const queue = catalogQueue(redis.url)
    const events = new QueueEvents(QUEUE, { connection: connectionTo(redis.url) })
    onTestFinished(async () => {
      await Promise.all(workers.map((worker) => worker.close()))
      await Promise.all([queue.close(), events.close()])
    })
    await events.waitUntilReady()
    const call = async () => {
      const names = Array.from({ length: 6 }, () => ({ name: randomUUID(), data: { path: 'list' } }))
      const jobs = await queue.addBulk(names)
      return new Set(await Promise.all(jobs.map((job) => job.waitUntilFinished(events))))
    }
    await expectToLast({ provider, clock }, call, new Set([200]), 2)
  })

  test('the sample runs and ends', async () => {
    const { code, output } = await run(dist('main.js'), ['bullmq'])
    expect(output).toBe('BullMQ: 8 of 8 jobs succeeded\n')
    expect(code).toBe(0)
  })
})
