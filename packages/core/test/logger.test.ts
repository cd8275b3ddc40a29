import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { createTokenManager, type Logger, TokenRequestError } from '@tokenward/core'
import { LeasingStore } from '@tokenward/test-support'
import { createConsola } from 'consola'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import winston from 'winston'
import { eventLog } from '../src/internal/util/event-log'
import { definition, scripted, settle } from './support'

const unavailable = () =>
  new TokenRequestError({
    client: 'catalog.client',
    error: 'server_error',
    errorDescription: 'the status is 503',
    status: 503,
    retryable: true,
    url: 'https://as.example/token',
  })

/** A logger that keeps the lines of these levels. */
function recorder(...levels: (keyof Logger)[]) {
  const lines: string[] = []
  const method = (level: keyof Logger) => (message: string) => {
    if (levels.includes(level)) lines.push(`${level} ${message}`)
  }
  const logger = { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') }
  return { logger, lines }
}

const visible = () => recorder('info', 'warn', 'error')

/** A day at the office: renewals, other scopes, a store. */
async function work({ tokens, clock }: ReturnType<typeof scripted>, seconds: number) {
  for (let second = 0; second < seconds; second++) {
    const calls = Promise.allSettled([
      tokens.getAccessToken('catalog.client'),
      tokens.getAccessToken('catalog.client', { scope: 'narrow' }),
    ])
    await clock.advance(1_000)
    await calls
  }
}

test('a healthy worker logs nothing at info and above', async () => {
  const { logger, lines } = visible()
  await work(scripted({ logger, store: new LeasingStore() }), 300)
  expect(lines).toEqual([])
})

test('an outage of the endpoint: what happened, what comes next, and the end of it, each once', async () => {
  const { logger, lines } = visible()
  const all = scripted({ logger })
  await work(all, 70)
  all.endpoint.respondAlways(unavailable())
  await work(all, 60)
  all.endpoint.respondAlways(undefined)
  await work(all, 30)
  expect(lines).toMatchInlineSnapshot(`
    [
      "warn tokenward: client 'catalog.client': the token could not be renewed: server_error (the status is 503). Calls use the current token until it expires at 2030-01-01T00:01:40.000Z. The renewal is tried again. The authorization server itself fails: look there.",
      "warn tokenward: client 'catalog.client': the token endpoint https://as.example/token fails: server_error (the status is 503). One request at a time tests it, the next one in 500 ms. Until it works, calls with a valid token go on, and others fail at once. The authorization server itself fails: look there.",
      "error tokenward: client 'catalog.client': there is no valid token, and calls fail: server_error (the status is 503). It is tried again. The authorization server itself fails: look there.",
      "info tokenward: client 'catalog.client': the token endpoint https://as.example/token works again, after 51 s. Nothing needs to be done.",
      "info tokenward: client 'catalog.client': gets new tokens again, after 52 s. Nothing needs to be done.",
    ]
  `)
})

test('a wrong secret from the start', async () => {
  const { logger, lines } = visible()
  const all = scripted({ logger })
  const error = { client: 'catalog.client', error: 'invalid_client', status: 401, retryable: false }
  all.endpoint.respondAlways(new TokenRequestError({ ...error, url: 'https://as.example/token' }))
  for (let second = 0; second < 60; second++) {
    await all.tokens.getAccessToken('catalog.client').catch(() => undefined)
    await all.clock.advance(1_000)
  }
  all.endpoint.respondAlways(undefined)
  await all.clock.advance(30_000)
  await all.tokens.getAccessToken('catalog.client')
  expect(lines).toMatchInlineSnapshot(`
    [
      "error tokenward: client 'catalog.client': there is no valid token, and calls fail: invalid_client. It is tried again after pauses of up to 30 s. Check clientId and the secret, key or assertion of the client.",
      "info tokenward: client 'catalog.client': gets new tokens again, after 90 s. Nothing needs to be done.",
    ]
  `)
})

test('an outage of the store', async () => {
  const { logger, lines } = visible()
  const store = new LeasingStore()
  const all = scripted({ logger, store })
  await work(all, 10)
  store.broken = () => Promise.reject(Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED' }))
  await work(all, 200)
  store.broken = undefined
  await work(all, 120)
  expect(lines).toMatchInlineSnapshot(`
    [
      "warn tokenward: all clients: the token store failed (lease: ECONNREFUSED). Calls go on with the tokens of this process and the token endpoint. The store is used again as soon as it works.",
      "info tokenward: all clients: the token store works again, after 150 s. Nothing needs to be done.",
    ]
  `)
})

test('an API that rejects every token, and then accepts one', async () => {
  const { logger, lines } = visible()
  const { tokens, clock } = scripted({ logger })
  for (let second = 0; second < 60; second++) {
    const token = await tokens.getAccessToken('catalog.client')
    await tokens.rejectAccessToken('catalog.client', token, {}, 'https://api.example')
    await clock.advance(1_000)
  }
  tokens.acceptAccessToken(await tokens.getAccessToken('catalog.client'), 'https://api.example')
  expect(lines).toMatchInlineSnapshot(`
    [
      "info tokenward: client 'catalog.client': https://api.example rejected the token (401). A new token is requested.",
      "info tokenward: client 'catalog.client': https://api.example rejected the token (401). A new token is requested.",
      "warn tokenward: client 'catalog.client': https://api.example rejects new tokens (401), so another one does not help, and only a few more are requested. Compare the token with what the API expects: audience (or resource), scope and issuer. Check the clocks of the API and of the authorization server.",
      "info tokenward: client 'catalog.client': https://api.example accepts the client's tokens again.",
    ]
  `)
})

test('the log remembers 1,000 APIs that reject every token, and forgets the oldest ones', () => {
  const { logger, lines } = recorder('info')
  const log = eventLog(logger)
  const rejection = { reason: undefined, willRenew: true, isRepeated: false }
  const rejectedBy = (number: number) =>
    log('tokenRejected', { client: 'c', origin: `https://api-${number}.example`, ...rejection })
  for (let number = 0; number <= 1_000; number++) {
    log('newTokenRejected', { client: 'c', origin: `https://api-${number}.example` })
  }
  rejectedBy(1)
  rejectedBy(1_000)
  expect(lines).toEqual([])
  rejectedBy(0)
  expect(lines).toHaveLength(1)
})

test('at debug there is a line for each event, and none for the use of a token', async () => {
  const { logger, lines } = recorder('debug', 'info', 'warn', 'error')
  const all = scripted({ logger })
  await work(all, 30)
  expect(lines).toHaveLength(2)
  for (const line of lines)
    expect(line).toMatch(/^debug tokenward: client 'catalog.client': got a token from the endpoint/)
})

/** Makes a token manager fail with a logger of one of the libraries. @returns the text that the library wrote */
async function written(make: (stream: Writable) => Logger): Promise<string> {
  let text = ''
  const stream = new Writable({
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  const { tokens, endpoint } = scripted({ logger: make(stream) })
  endpoint.respondAlways(new TokenRequestError({ client: 'c', error: 'invalid_scope', status: 400, retryable: false }))
  await tokens.getAccessToken('catalog.client').catch(() => undefined)
  await settle()
  return text
}

const MESSAGE = /tokenward: client 'c': there is no valid token, and calls fail: invalid_scope\. .* Check the scope/

test('console', async () => {
  const text = await written((stream) => new Console(stream))
  expect(text).toMatch(MESSAGE)
  expect(text).toContain("event: 'tokenUnavailable'")
})

test('pino: the fields of the event are fields of the entry', async () => {
  const text = await written((stream) => pino({ level: 'info' }, stream))
  const entries = text.trim().split('\n')
  expect(entries).toHaveLength(1)
  expect(JSON.parse(String(entries[0]))).toMatchObject({
    level: 50,
    msg: expect.stringMatching(MESSAGE),
    event: 'tokenUnavailable',
    client: 'c',
    error: 'invalid_scope',
    status: 400,
    retryable: false,
  })
})

test('pino: a child logger, and one that is not the newest, are recognised too', async () => {
  const text = await written((stream) => pino({ level: 'info' }, stream).child({ part: 'tokens' }))
  expect(JSON.parse(text)).toMatchObject({
    part: 'tokens',
    event: 'tokenUnavailable',
    msg: expect.stringMatching(MESSAGE),
  })
})

test('winston: the fields of the event are fields of the entry', async () => {
  const text = await written((stream) =>
    winston.createLogger({ transports: [new winston.transports.Stream({ stream })], format: winston.format.json() }),
  )
  const entries = text.trim().split('\n')
  expect(entries).toHaveLength(1)
  expect(JSON.parse(String(entries[0]))).toMatchObject({
    level: 'error',
    message: expect.stringMatching(MESSAGE),
    event: 'tokenUnavailable',
    client: 'c',
    error: 'invalid_scope',
  })
})

test('consola', async () => {
  const text = await written((stream) => {
    const stdout = stream as unknown as NodeJS.WriteStream
    return createConsola({ stdout, stderr: stdout, level: 3 })
  })
  expect(text).toMatch(MESSAGE)
  expect(text).toContain('tokenUnavailable')
})

test('a logger that throws, or rejects, disturbs nobody', async () => {
  for (const fails of [
    () => Promise.reject(new Error('disk full')),
    () => {
      throw new Error('disk full')
    },
  ]) {
    const { tokens } = scripted({ logger: { debug: fails, info: fails, warn: fails, error: fails } })
    expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-1')
  }
})

test('a logger without one of the methods is refused', () => {
  const logger = { debug() {}, info() {}, warn() {} } as unknown as Logger
  expect(() => createTokenManager({ clients: { c: definition }, logger })).toThrow('logger: has no method error')
})

test('a name of a client, which may come from a stranger, forges no line of a log or an error', async () => {
  const { logger, lines } = recorder('debug', 'info', 'warn', 'error')
  const requester = {
    request: async ({ name: client }: { name: string }) => {
      throw new TokenRequestError({ client, error: 'invalid_client', retryable: false })
    },
  }
  const tokens = createTokenManager({
    resolveClient: async (name) => (name.startsWith('known') ? { ...definition, requester } : undefined),
    logger,
  })
  const forged = 'tenant\r\ntokenward: all is well\u2028\u001b[2J'
  const messages: string[] = []
  const note = (error: Error) => messages.push(error.message)
  await tokens.getAccessToken(forged).catch(note)
  await tokens.getAccessToken(`known ${forged}`).catch(note)
  await tokens.getAccessToken(`known ${forged}`, { scope: '"' }).catch(note)
  await tokens.warmUp([forged]).catch((error: Error) => note(new Error(error.message.split('\n').slice(1).join('|'))))
  await tokens.close()
  expect(messages).toHaveLength(4)
  expect(lines.length).toBeGreaterThan(0)
  for (const text of [...messages, ...lines]) expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u)
})

test('the cause of an error of the user is in no event, also when the circuit opens', async () => {
  const { tokens, endpoint } = scripted()
  const cause = new Error('the proxy password is hunter2')
  endpoint.respondAlways(
    new TokenRequestError({ client: 'catalog.client', error: 'network_error', retryable: true, cause }),
  )
  const causes: unknown[] = []
  tokens.on('circuitOpened', ({ error }) => causes.push(error.cause))
  tokens.on('tokenRequestFailed', ({ error }) => causes.push(error.cause))
  tokens.on('tokenUnavailable', ({ error }) => causes.push(error.cause))
  for (let call = 0; call < 20; call++) tokens.getAccessToken('catalog.client', { scope: `s${call}` }).catch(() => {})
  await settle()
  await tokens.close()
  expect(causes.length).toBeGreaterThan(0)
  expect(causes.filter((each) => each !== undefined)).toEqual([])
})
