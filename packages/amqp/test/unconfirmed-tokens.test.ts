import { EventEmitter } from 'node:events'
import { type AmqpManager, createAmqpManager } from '@tokenward/amqp'
import { createTokenManager } from '@tokenward/core'
import { until } from '@tokenward/local-servers'
import { expect, onTestFinished, test } from 'vitest'

/** A connection to a broker that confirms a new token when the test wants it. It is a mock, because a real broker confirms at once. */
class Connection extends EventEmitter {
  readonly tokens: string[] = []
  #confirm = () => {}

  updateSecret(secret: Buffer): Promise<void> {
    this.tokens.push(String(secret))
    return new Promise((resolve) => {
      this.#confirm = resolve
    })
  }

  confirm(): void {
    this.#confirm()
  }
}

type Server = { connectionOptions: { credentials: { response(): Buffer } } }

/** A connection that has logged in. The requester is a mock. */
async function setup() {
  let requests = 0
  const request = async () => ({ access_token: `t${++requests}`, token_type: 'Bearer', expires_in: 3_600 })
  const definition = { tokenEndpoint: 'https://login.example/token', clientId: 'a', clientSecret: 'b' }
  const tokens = createTokenManager({ clients: { c: definition }, requester: { request } })
  const events = new EventEmitter()
  let findServers: () => Promise<Server[]> = async () => []
  const connect = (_urls: undefined, options?: object) => {
    findServers = (options as { findServers: typeof findServers }).findServers
    return Object.assign(events as unknown as AmqpManager, { close: async () => {} })
  }
  const problems: unknown[] = []
  const url = 'amqps://broker.example'
  const manager = createAmqpManager(connect, tokens, 'c', url, { onError: (error) => problems.push(error) })
  onTestFinished(async () => {
    await manager.close()
    await tokens.close()
  })
  const [server] = await findServers()
  server?.connectionOptions.credentials.response()
  const connection = new Connection()
  events.emit('connect', { connection, url })
  const listeners = connection.listenerCount('close')
  const renew = () => tokens.getAccessToken('c', { forceRenewal: true })
  return { connection, listeners, problems, renew }
}

test('a broker that does not confirm a token gets no other, and onError says so', async () => {
  const { connection, listeners, problems, renew } = await setup()
  for (let renewals = 0; renewals < 5; renewals++) {
    await renew()
    await until('the new token is passed on', async () => connection.tokens.length + problems.length > renewals)
  }
  expect(connection.tokens).toEqual(['t2'])
  expect(problems.map(String)).toEqual(
    Array.from({ length: 4 }, () => expect.stringContaining('the broker has not confirmed the token before')),
  )
  expect(connection.listenerCount('close')).toBe(listeners + 1)
})

test('a broker that confirms a token late gets the newest one then', async () => {
  const { connection, listeners, problems, renew } = await setup()
  await renew()
  await until('the first one is sent', async () => connection.tokens.length === 1)
  for (const count of [1, 2]) {
    await renew()
    await until('the next one waits', async () => problems.length === count)
  }
  connection.confirm()
  await until('the newest one is sent', async () => connection.tokens.length === 2)
  connection.confirm()
  await until('nothing is waited for', async () => connection.listenerCount('close') === listeners)
  await renew()
  await until('another one is sent', async () => connection.tokens.length === 3)
  expect(connection.tokens).toEqual(['t2', 't4', 't5'])
})

test('a connection that closes while a token is not confirmed gets no other', async () => {
  const { connection, problems, renew } = await setup()
  await renew()
  await until('the first one is sent', async () => connection.tokens.length === 1)
  await renew()
  await until('the next one waits', async () => problems.length === 1)
  connection.emit('close')
  await renew()
  expect(connection.tokens).toEqual(['t2'])
  expect(connection.listenerCount('close')).toBe(0)
})
