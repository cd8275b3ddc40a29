import { connectAmqp, createAmqpManager } from '@tokenward/amqp'
import { type ClientDefinitionSource, createTokenManager } from '@tokenward/core'
import { expect, onTestFinished, test } from 'vitest'
import { errorOf } from './support'

/** A manager whose token requests are only counted: what is wrong here is found before one. The requester is a mock. */
function setup(more: { allowInsecureRequests?: boolean; isLate?: boolean; tokenType?: string } = {}) {
  const { isLate, tokenType = 'Bearer', ...settings } = more
  const definition = {
    tokenEndpoint: 'https://login.example/token',
    clientId: 'a',
    clientSecret: 'b',
    dpop: tokenType === 'DPoP',
    ...settings,
  }
  const source: ClientDefinitionSource = isLate ? async () => definition : definition
  let requests = 0
  const tenants: (string | undefined)[] = []
  const tokens = createTokenManager({
    clients: { 'broker.client': source },
    requester: {
      async request(_client, { parameters }) {
        tenants.push(parameters.tenant)
        return { access_token: `t${++requests}`, token_type: tokenType, expires_in: 3_600 }
      },
    },
  })
  onTestFinished(() => tokens.close())
  return { tokens, tenants, requests: () => requests }
}

const WRONG = [
  ['http://broker.example', 'must be an amqp(s) URL'],
  ['broker.example', 'must be an amqp(s) URL'],
  [undefined, 'must be an amqp(s) URL'],
  ['amqps://', 'names no host'],
  [{ protocol: 'amqps' }, 'names no host'],
  ['amqps://worker:s3cret@broker.example', 'has a password'],
  ['amqps://s3cret%@broker.example', 'has a user name with a %'],
  ['amqps://s3cret%zz@broker.example', 'has a user name with a %'],
  [{ protocol: 'amqps', hostname: 'broker.example', password: 's3cret' }, 'has a password'],
  ['amqp://broker.example', 'would send tokens in clear'],
  ['amqp://127.0.0.1.broker.example', 'would send tokens in clear'],
  ['amqp://localhost@broker.example', 'would send tokens in clear'],
  [{ hostname: 'broker.example' }, 'would send tokens in clear'],
] as const

test.each(WRONG)('%o is refused, and no token is requested', async (url, problem) => {
  const { tokens, requests } = setup()
  const error = await errorOf(connectAmqp(tokens, 'broker.client', url as string))
  expect(error).toMatchObject({ code: 'invalid_configuration', problems: [{ client: 'broker.client', option: 'url' }] })
  expect(error.message).toContain(problem)
  expect(error.message).not.toContain('s3cret')
  const connect = () => {
    throw new Error('it was connected')
  }
  expect(() => createAmqpManager(connect, tokens, 'broker.client', url as string)).toThrow(problem)
  expect(requests()).toBe(0)
})

test('a definition that is loaded late is waited for', async () => {
  const { tokens, requests } = setup({ isLate: true })
  const error = await errorOf(connectAmqp(tokens, 'broker.client', 'amqp://broker.example'))
  expect(error.message).toContain('would send tokens in clear')
  expect(requests()).toBe(0)
})

test.each([{ isLate: false }, { isLate: true }])('allowInsecureRequests allows amqp (%o)', async ({ isLate }) => {
  const { tokens, requests } = setup({ isLate, allowInsecureRequests: true })
  // The name exists nowhere (RFC 2606).
  const error = await errorOf(connectAmqp(tokens, 'broker.client', 'amqp://broker.invalid'))
  expect(error.code).not.toBe('invalid_configuration')
  expect(requests()).toBe(1)
})

test('a token that is bound to a key is refused, because a broker gets no proof', async () => {
  const { tokens } = setup({ tokenType: 'DPoP' })
  const error = await errorOf(connectAmqp(tokens, 'broker.client', 'amqp://localhost'))
  expect(error).toMatchObject({ code: 'invalid_configuration', problems: [{ option: 'dpop' }] })
})

test('an object of amqplib may have a user name of any characters', async () => {
  const { tokens, requests } = setup()
  const broker = { hostname: 'localhost', port: 9, username: 'a%zz\ud800' }
  const error = await errorOf(connectAmqp(tokens, 'broker.client', broker))
  expect(error.code).toBe('ECONNREFUSED')
  expect(requests()).toBe(1)
})

test('findServers is the third argument', () => {
  const { tokens } = setup()
  const connect = (_urls: undefined, _options?: { findServers?: unknown }) => {
    throw new Error('it was connected')
  }
  const options = { findServers: async () => [] } as object
  expect(() => createAmqpManager(connect, tokens, 'broker.client', [], options)).toThrow('findServers')
})

test('parameters that cannot be right: createAmqpManager throws, and has connected nothing that would go on', async () => {
  const { tokens } = setup()
  const connect = () => {
    throw new Error('it was connected')
  }
  const options = { tokenParameters: { scopes: 'a' } } as object
  expect(() => createAmqpManager(connect, tokens, 'broker.client', 'amqps://broker.example', options)).toThrow(
    'did you mean scope?',
  )
})

test('what the caller changes later does not change which token a login gets', async () => {
  const { tokens, tenants } = setup()
  const parameters = { tenant: 'a' }
  const connected: { findServers(): Promise<unknown> }[] = []
  const connect = (_urls: undefined, options?: object) => {
    connected.push(options as { findServers(): Promise<unknown> })
    return { on() {}, close: async () => {} }
  }
  const server = 'amqps://broker.example'
  const manager = createAmqpManager(connect, tokens, 'broker.client', server, { tokenParameters: { parameters } })
  parameters.tenant = 'b'
  await connected[0]?.findServers()
  await manager.close()
  expect(tenants).toEqual(['a'])
})
