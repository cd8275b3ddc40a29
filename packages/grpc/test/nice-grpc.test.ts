import { credentials } from '@grpc/grpc-js'
import { createCallCredentials } from '@tokenward/grpc'
import { createChannel, createClient } from 'nice-grpc'
import { expect, onTestFinished, test } from 'vitest'
import { InvoiceClient } from './invoice-server'
import { setup } from './support'

test('a client of nice-grpc has the token by call credentials', async () => {
  const { provider, server, tokens } = await setup({ tls: true })
  const own = createCallCredentials(tokens, 'invoice.client', { allowedHosts: ['localhost'] })
  const ssl = credentials.createSsl(server.certificate)
  const channel = createChannel(server.address, credentials.combineChannelCredentials(ssl, own))
  onTestFinished(() => channel.close())
  const client = createClient(InvoiceClient.service, channel) as unknown as Invoices
  expect(await Promise.all([client.Get({ id: 1 }), client.Get({ id: 2 })])).toEqual([
    { got: { id: 1 } },
    { got: { id: 2 } },
  ])
  const streamed: unknown[] = []
  for await (const message of client.List({ count: 2 })) streamed.push(message)
  expect(streamed).toEqual([{ number: 1 }, { number: 2 }])
  expect(server.calls.map(({ accepted }) => accepted)).toEqual([true, true, true])
  expect(provider.tokenRequests).toHaveLength(1)
})

interface Invoices {
  Get(request: { id: number }): Promise<unknown>
  List(request: { count: number }): AsyncIterable<unknown>
}
