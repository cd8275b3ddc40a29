import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Channel, type ClientOptions, credentials, status } from '@grpc/grpc-js'
import { ConfigurationError, createTokenManager } from '@tokenward/core'
import { createCallCredentials, createGrpcOptions } from '@tokenward/grpc'
import { until } from '@tokenward/local-servers'
import { tokensOf } from '@tokenward/test-support'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { connect, InvoiceClient, startInvoiceServer } from './invoice-server'
import { get, setup } from './support'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const definition = { tokenEndpoint: 'https://as.example/token', clientId: 'id', clientSecret: 's' }

function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    if (error instanceof ConfigurationError) return error.message
    throw error
  }
  return 'no error'
}

/** Creates a client, which connects to nothing before its first call. */
function create(address: string, channelCredentials: ReturnType<typeof credentials.createSsl>, options: ClientOptions) {
  new InvoiceClient(address, channelCredentials, options).close()
}

describe('plain text', () => {
  test.each([
    'localhost:50051',
    'localhost',
    '127.0.0.1:50051',
    'dns:localhost:50051',
    'dns:///127.0.0.1:50051',
    'ipv4:127.0.0.1:50051,127.0.0.2:50051',
    'ipv6:[::1]:50051',
    '[::1]:50051',
    'unix:/run/invoices.sock',
    'unix:///run/invoices.sock',
  ])('%s: allowed, because it is this machine', (address) => {
    const options = createGrpcOptions(tokensOf(), 'c')
    expect(messageOf(() => create(address, credentials.createInsecure(), options))).toBe('no error')
  })

  test.each([
    'invoices.company.com:443',
    'dns:invoices.company.com',
    '10.0.0.1:50051',
    'ipv4:127.0.0.1:50051,10.0.0.1:50051',
    'ipv6:[fe80::1]:50051',
    'dns://10.0.0.53/localhost:50051',
    'localhost.company.com:80',
    '127.0.0.1.company.com:80',
    'localhost:50051/@company.com',
    'dns:localhost@company.com:80',
    'xds:///localhost',
    'xds:localhost',
    'localhost:invoices',
    '//10.0.0.53/localhost',
    '',
  ])('%s: refused, unless the definition allows it', (address) => {
    const options = createGrpcOptions(tokensOf(), 'c')
    const message = messageOf(() => create(address, credentials.createInsecure(), options))
    expect(message).toMatch(/^client 'c', credentials: /)
    if (!message.includes('does not parse') && !message.includes('user name')) {
      expect(message).toBe(
        "client 'c', credentials: would send tokens by plain text; use credentials.createSsl(), or set allowInsecureRequests in the definition",
      )
    }
  })

  test('allowed by the definition', () => {
    const tokens = createTokenManager({ clients: { c: { ...definition, allowInsecureRequests: true } } })
    onTestFinished(() => tokens.close())
    const options = createGrpcOptions(tokens, 'c')
    expect(messageOf(() => create('invoices.company.com:80', credentials.createInsecure(), options))).toBe('no error')
  })

  test('a definition that is loaded late: the call is refused, and nothing is sent', async () => {
    const { server } = await setup()
    const tokens = createTokenManager({ clients: { c: async () => definition } })
    onTestFinished(() => tokens.close())
    // Stands for a machine far away whose name leads to this server.
    const { port } = new URL(`http://${server.address}`)
    const client = connect(
      { ...server, address: `far.example:${port}` },
      createGrpcOptions(tokens, 'c', {
        channelFactoryOverride: (_address, channelCredentials, options) => ({
          ...wrapped(new Channel(server.address, channelCredentials, options)),
        }),
      }),
    )
    const { error } = await get(client)
    expect(error).toMatchObject({ code: status.UNAUTHENTICATED, details: expect.stringContaining('plain http') })
    expect(server.calls).toEqual([])
  })

  describe('with a proxy in the environment', () => {
    afterEach(() => vi.unstubAllEnvs())

    test('a call to this machine does not go through it', async () => {
      vi.stubEnv('grpc_proxy', 'http://127.0.0.1:1')
      const { client } = await setup()
      expect((await get(client)).error).toBeUndefined()
    })
  })
})

test('TLS: tokens go to any address that a client is created with', () => {
  const options = createGrpcOptions(tokensOf(), 'c')
  for (const address of [
    'invoices.company.com:443',
    'dns:///invoices.company.com',
    'ipv4:10.0.0.1:443,10.0.0.2:443',
    'fe80::1',
    'dns://10.0.0.53/invoices.company.com',
  ]) {
    expect(messageOf(() => create(address, credentials.createSsl(), options))).toBe('no error')
  }
})

test('one object for clients of several addresses: they share the token', async () => {
  const first = await setup()
  const second = await startInvoiceServer(first.provider)
  const options = createGrpcOptions(first.tokens, 'invoice.client')
  expect((await get(connect(second, options))).error).toBeUndefined()
  expect((await get(connect(first.server, options))).error).toBeUndefined()
  expect(first.server.tokens()).toEqual(second.tokens())
})

describe('closed clients', () => {
  test('are forgotten', async () => {
    const created: WeakRef<object>[] = []
    const options = createGrpcOptions(tokensOf(), 'c', {
      channelFactoryOverride: (...args) => {
        const channel = wrapped(new Channel(...args))
        created.push(new WeakRef(channel))
        return channel
      },
    })
    for (let port = 1; port <= 20; port++) create(`localhost:${port}`, credentials.createInsecure(), options)
    await until('they are collected', async () => {
      collectGarbage()
      return created.every((channel) => channel.deref() === undefined)
    })
  })

  test('do not slow the calls of later ones down', async () => {
    const { server, tokens } = await setup()
    const added = vi.fn()
    const options = createGrpcOptions(tokens, 'invoice.client', {
      channelFactoryOverride: (...args) => withCredentialsAdded(new Channel(...args), added),
    })
    const replaced = new InvoiceClient('localhost:1', credentials.createInsecure(), options)
    const client = connect(server, options)
    replaced.close()
    // The first call waits for the connection.
    await get(client)
    added.mockClear()
    expect((await get(client)).error).toBeUndefined()
    expect(added).not.toHaveBeenCalled()
  })

  test('take no token from other clients of their address, whoever was created first', async () => {
    const { server, tokens } = await setup()
    const options = createGrpcOptions(tokens, 'invoice.client')
    const clients = [1, 2, 3].map(() => connect(server, options))
    for (const client of clients) {
      expect((await get(client)).error).toBeUndefined()
      client.close()
    }
  })

  test('of one channel: the other one still gets tokens', async () => {
    const { server, tokens } = await setup()
    const channel = new Channel(server.address, credentials.createInsecure(), {})
    onTestFinished(() => channel.close())
    const shared = Object.freeze({ ...wrapped(channel), close() {} })
    const options = createGrpcOptions(tokens, 'invoice.client', { channelFactoryOverride: () => shared })
    create(server.address, credentials.createInsecure(), options)
    expect((await get(connect(server, options))).error).toBeUndefined()
  })
})

test('an interceptor that was taken out of the options sends no token elsewhere', async () => {
  const { server, tokens } = await setup()
  const { interceptors = [] } = createGrpcOptions(tokens, 'invoice.client')
  const { error } = await get(connect(server, { interceptors }))
  expect(error?.cause).toBeInstanceOf(ConfigurationError)
  expect(error?.details).toContain('createGrpcOptions')
  expect(server.calls).toEqual([])
})

test('tokenParameters: an object, and a function of the call', async () => {
  const fixed = await setup({ options: { tokenParameters: { scope: 'invoice.read' } } })
  await get(fixed.client)
  expect(fixed.provider.tokenRequests.map(({ parameters }) => parameters.scope)).toEqual(['invoice.read'])

  const urls: string[] = []
  const computed = await setup({
    options: {
      tokenParameters({ method, url, headers }) {
        urls.push(`${method} ${url} ${headers.get('x-tenant')}`)
        return { scope: url.pathname.endsWith('/Get') ? 'invoice.read' : 'invoice' }
      },
    },
  })
  await get(computed.client)
  expect(urls).toEqual([`POST http://${computed.server.address}/company.Invoices/Get null`])
  expect(computed.provider.tokenRequests.map(({ parameters }) => parameters.scope)).toEqual(['invoice.read'])
})

test('what cannot be right is named at once', () => {
  const channelOverride = new Channel('localhost:1', credentials.createInsecure(), {})
  onTestFinished(() => channelOverride.close())
  expect(messageOf(() => createGrpcOptions(tokensOf(), 'c', { channelOverride }))).toContain(
    "client 'c', channelOverride:",
  )
  expect(messageOf(() => createGrpcOptions({} as ReturnType<typeof tokensOf>, 'c'))).toContain('tokens: has no method')
  // @ts-expect-error no such client
  createGrpcOptions(tokensOf(), 'd')
})

describe('call credentials', () => {
  test('attach the token to calls by TLS', async () => {
    const { server, tokens } = await setup({ tls: true })
    const own = createCallCredentials(tokens, 'invoice.client', { allowedHosts: ['localhost'] })
    const ssl = credentials.createSsl(server.certificate)
    const client = new InvoiceClient(server.address, credentials.combineChannelCredentials(ssl, own))
    onTestFinished(() => client.close())
    expect((await get(client)).error).toBeUndefined()
    expect(server.calls.map(({ accepted }) => accepted)).toEqual([true])
  })

  test('send nothing to another host, or without a token', async () => {
    const { server, tokens, provider } = await setup({ tls: true })
    const ssl = credentials.createSsl(server.certificate)
    const connectWith = (host: string) => {
      const own = createCallCredentials(tokens, 'invoice.client', { allowedHosts: [host] })
      const client = new InvoiceClient(server.address, credentials.combineChannelCredentials(ssl, own))
      onTestFinished(() => client.close())
      return client
    }
    const elsewhere = await get(connectWith('invoices.company.com'))
    expect(elsewhere.error).toMatchObject({ code: status.UNAUTHENTICATED })
    expect(elsewhere.error?.details).toContain('a token must not go to https://localhost')
    provider.tokenEndpointFaults.fail(1, { status: 401, body: { error: 'invalid_client' } })
    expect((await get(connectWith('localhost'))).error?.details).toContain('invalid_client')
    expect(server.calls).toEqual([])
  })

  test.each([undefined, [], 'localhost', ['localhost:443'], ['https://localhost'], ['a/b'], ['']])(
    'allowedHosts: %j is refused',
    (allowedHosts) => {
      const options = { allowedHosts } as { allowedHosts: string[] }
      expect(messageOf(() => createCallCredentials(tokensOf(), 'c', options))).toContain("client 'c', allowedHosts:")
    },
  )
})

/** A channel that calls `added` for each call whose token is asked for when the connection is ready, which takes longer. */
function withCredentialsAdded(channel: Channel, added: () => void) {
  return {
    ...wrapped(channel),
    createCall(...args: Parameters<Channel['createCall']>) {
      const call = channel.createCall(...args)
      const setCredentials = call.setCredentials.bind(call)
      call.setCredentials = (callCredentials) => {
        added()
        setCredentials(callCredentials)
      }
      return call
    },
  }
}

/** An object with the methods of a channel, and another target. */
function wrapped(channel: Channel) {
  return {
    close: () => channel.close(),
    getTarget: () => channel.getTarget(),
    getConnectivityState: (tryToConnect: boolean) => channel.getConnectivityState(tryToConnect),
    watchConnectivityState: (...args: Parameters<Channel['watchConnectivityState']>) =>
      channel.watchConnectivityState(...args),
    getChannelzRef: () => channel.getChannelzRef(),
    createCall: (...args: Parameters<Channel['createCall']>) => channel.createCall(...args),
  }
}
