import { createPublicKey, type JsonWebKey } from 'node:crypto'
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createTokenManager, type TokenManagerOptions } from '@tokenward/core'
import { type IdentityProvider, startIdentityProvider } from '@tokenward/identity-provider'
import { startFaultProxy, startRabbitProcess } from '@tokenward/local-servers'
import { afterAll, beforeAll, onTestFinished } from 'vitest'

/** Its tokens are JWTs. RabbitMQ checks them by itself, until they expire. */
export const RABBIT = 'urn:rabbitmq'
/** Its tokens are opaque. RabbitMQ asks for each login whether they are valid, so that a revocation has an effect. */
export const OPAQUE_RABBIT = 'urn:opaque-rabbitmq'
/** With the routing keys, which MQTT's topics are. */
export const RABBIT_SCOPE = ['configure:*/*', 'read:*/*/*', 'write:*/*/*'].map((each) => `${RABBIT}.${each}`).join(' ')

/** An authorization server and a real RabbitMQ for all tests of a file. */
export function useRabbit({ mqtt = false } = {}) {
  let provider: IdentityProvider
  let ports = { amqp: 0, mqtt: 0 }
  const closing: (() => Promise<unknown>)[] = []

  beforeAll(async () => {
    provider = await startIdentityProvider({
      clients: { 'broker.client': { scope: RABBIT_SCOPE }, 'broker.server': {} },
    })
    closing.push(() => provider.close())
    provider.addResource(RABBIT, RABBIT_SCOPE, 'jwt')
    provider.addResource(OPAQUE_RABBIT, RABBIT_SCOPE)
    const verifier = await startVerifier(provider)
    closing.push(verifier.close)
    const server = await startRabbitProcess({
      resource: RABBIT,
      keys: await keysOf(provider),
      verifier: verifier.url,
      mqtt,
    })
    closing.push(() => server.stop())
    ports = { amqp: server.port, mqtt: server.mqttPort }
  })
  afterAll(() => Promise.all(closing.map((close) => close())))

  return {
    /** The ports of RabbitMQ. */
    ports: () => ports,
    provider: () => provider,
    /** A token manager, as one process of a fleet has it. It ends with the test. */
    tokens(options: Omit<TokenManagerOptions, 'clients'> & { lifetimeSeconds?: number; resource?: string } = {}) {
      const { lifetimeSeconds = 3_600, resource = RABBIT, ...managerOptions } = options
      provider.reset()
      provider.setTokenLifetime(lifetimeSeconds)
      const { clientId, clientSecret } = provider.client('broker.client')
      const definition = { issuer: provider.issuer, clientId, clientSecret, scope: RABBIT_SCOPE, resource }
      const tokens = createTokenManager({ ...managerOptions, clients: { 'broker.client': definition } })
      onTestFinished(() => tokens.close())
      return tokens
    },
    /** Revokes an opaque token at the authorization server (RFC 7009). */
    async revoke(token: string) {
      const { clientId, clientSecret } = provider.client('broker.client')
      const response = await fetch(`${provider.issuer}/token/revocation`, {
        method: 'POST',
        headers: { authorization: basic(clientId, clientSecret) },
        body: new URLSearchParams({ token }),
      })
      if (!response.ok) throw new Error(`the revocation request failed: ${response.status}`)
    },
  }
}

/**
 * A proxy in front of a broker, which ends with the test.
 *
 * @param onBytes is called with each piece of data
 * @returns its port, and the sockets that had data and are still open
 */
export async function watchedProxy(targetPort: number, onBytes: () => void) {
  const open = new Set<Socket>()
  const proxy = await startFaultProxy(targetPort, '127.0.0.1', (_bytes, socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    onBytes()
  })
  onTestFinished(() => proxy.close())
  return { port: proxy.port, open }
}

function basic(clientId: string, clientSecret: string): string {
  const words = [clientId, clientSecret].map(encodeURIComponent)
  return `Basic ${btoa(words.join(':'))}`
}

async function keysOf({ issuer }: IdentityProvider): Promise<Record<string, string>> {
  const { keys } = await (await fetch(`${issuer}/jwks`)).json()
  const pem = (key: JsonWebKey) =>
    String(createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }))
  return Object.fromEntries(keys.map((key: JsonWebKey) => [key.kid, pem(key)]))
}

/** What RabbitMQ asks about opaque tokens. It asks the introspection endpoint (RFC 7662), as a company's own would. */
async function startVerifier(provider: IdentityProvider) {
  const { clientId, clientSecret } = provider.client('broker.server')
  const server = createServer(async (request, response) => {
    const token = new URLSearchParams(await text(request)).get('password')
    if (request.url !== '/user') return response.end('allow')
    const introspection = await fetch(provider.introspectionEndpoint, {
      method: 'POST',
      headers: { authorization: basic(clientId, clientSecret) },
      body: new URLSearchParams({ token: token ?? '' }),
    })
    const { active } = await introspection.json()
    response.end(active ? 'allow' : 'deny')
  })
  const url = await new Promise<string>((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (typeof address === 'object') resolve(`http://127.0.0.1:${address?.port}`)
    })
  })
  return {
    url,
    async close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
