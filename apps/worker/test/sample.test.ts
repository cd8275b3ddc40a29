import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { hasRedis, startRedis } from '@tokenward/local-servers'
import { describe, expect, type TestContext, test } from 'vitest'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

interface Sample {
  readonly child: ChildProcess
  readonly output: () => string
  readonly exit: Promise<number | null>
}

/** Starts the sample. It ends with the test. */
function start({ onTestFinished }: TestContext, args: readonly string[], env: NodeJS.ProcessEnv = {}): Sample {
  const child = spawn(process.execPath, [main, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let output = ''
  child.stdout?.on('data', (text) => (output += text))
  child.stderr?.on('data', (text) => (output += text))
  return { child, output: () => output, exit: new Promise((resolve) => child.on('exit', resolve)) }
}

const isRedisThere = await hasRedis()

describe.concurrent('the sample', () => {
  test('ends after --seconds with a summary and exit code 0', async (context) => {
    const { output, exit } = start(context, ['--seconds', '1.5'])
    expect(await exit).toBe(0)
    expect(output()).toContain('Summary')
  })

  test('three workers use two clients, and the summary counts their requests', async (context) => {
    const { child, output, exit } = start(context, ['--forever'])
    await context.expect.poll(output).toMatch(/catalog\.client: new token from the endpoint/)
    await context.expect.poll(output).toMatch(/invoice\.client: new token from the endpoint/)
    child.kill('SIGINT')
    expect(await exit).toBe(0)
    expect(output()).toContain('Workers (manual, http, typed)')
    expect(output()).toMatch(/API requests +[1-9]/)
    expect(output()).toMatch(/token requests +[2-9]/)
  })

  test.for([
    ['private-key-jwt', 'the catalog responded 200 to a client without a secret'],
    ['dpop', 'the catalog responded 200 to the token with its proof, 401 to the token alone'],
    ['workload-identity', 'the catalog responded 200 to a client that its platform identifies'],
  ])('--only %s runs that worker', async ([worker = '', line], context) => {
    const { child, output, exit } = start(context, ['--only', worker, '--forever'])
    await context.expect.poll(output).toContain(line)
    child.kill('SIGINT')
    expect(await exit).toBe(0)
  })

  test.for(['SIGINT', 'SIGTERM'] as const)('%s ends it with a summary and exit code 0', async (signal, context) => {
    const { child, output, exit } = start(context, ['--forever', '--only', 'manual'])
    await context.expect.poll(output).toContain('items from the catalog')
    child.kill(signal)
    child.kill(signal)
    expect(await exit).toBe(0)
    expect(output()).toContain('Workers (manual) ')
    expect(output()).toContain('Summary')
  })

  test.skipIf(!isRedisThere)(
    '--redis keeps the tokens of every worker in Redis and prints its address',
    async (context) => {
      const redis = await startRedis()
      context.onTestFinished(() => redis.stop())
      const client = redis.connect()
      const names = ['manual', 'http', 'typed', 'private-key-jwt', 'dpop', 'workload-identity']
      const only = names.flatMap((name) => ['--only', name])
      const { child, output, exit } = start(context, ['--redis', '--forever', ...only], { REDIS_URL: redis.url })
      await context.expect.poll(output).toMatch(/, with tokens kept in Redis at \S+\.\nTokens live/)
      const [issuer] = /http:\/\/\S+/.exec(output()) ?? []

      /** The number of clients whose tokens are in Redis. Other tests may use the same Redis, so only this issuer counts. */
      const clientsInRedis = async () => {
        const keys = await client.keys('tokenward:{*}')
        const entries = keys.length > 0 ? await client.mget(keys) : []
        const claims = entries.flatMap((entry) => {
          const [, payload] = /"eyJ[\w-]+\.([\w-]+)\.[\w-]+"/.exec(entry ?? '') ?? []
          return payload ? [JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, string>] : []
        })
        return new Set(claims.filter(({ iss }) => iss === issuer).map(({ client_id }) => client_id)).size
      }
      // Two of the six workers share a client.
      await context.expect.poll(clientsInRedis).toBe(5)
      child.kill('SIGINT')
      expect(await exit).toBe(0)
      expect(output()).toContain('Summary')
    },
  )

  test('--redis without a Redis prints an error without the password, and ends with 1', async (context) => {
    const { output, exit } = start(context, ['--redis'], { REDIS_URL: 'redis://:hush@127.0.0.1:1' })
    expect(await exit).toBe(1)
    expect(output()).toContain('Redis does not respond. Check REDIS_URL.')
    expect(output()).not.toContain('hush')
  })

  test('without --redis no Redis is used', async (context) => {
    const { output, exit } = start(context, ['--only', 'http', '--seconds', '0.5'], {
      REDIS_URL: 'redis://127.0.0.1:1',
    })
    expect(await exit).toBe(0)
    expect(output()).not.toContain('Redis')
  })

  test.for([
    [['--only', 'nobody'], "there is no worker 'nobody'"],
    [['--sideways'], '--sideways'],
    [['--seconds', 'x'], "--seconds must be a number above 0, not 'x'"],
  ] as const)('%j is refused with the usage', async ([args, message], context) => {
    const { output, exit } = start(context, args)
    expect(await exit).toBe(2)
    expect(output()).toContain(message)
    expect(output()).toContain('usage: npm start --')
  })
})
