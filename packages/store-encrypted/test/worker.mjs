// A process of a fleet: it requests a new token for each scope that its parent sends, and sends back what became of it.
import { createTokenManager, refreshToken } from '@tokenward/core'
import { encryptedStore } from '@tokenward/store-encrypted'
import { redisStore } from '@tokenward/store-redis'
import { Redis } from 'ioredis'

const { definition, first, key, redisUrl } = JSON.parse(process.argv[2] ?? '')
const tokens = createTokenManager({
  clients: { c: { ...definition, requester: refreshToken({ refreshToken: first }) } },
  store: encryptedStore(redisStore(new Redis(redisUrl)), { keys: [Buffer.from(key, 'base64')] }),
  // Long enough for a slow machine.
  storeTimeoutMs: 10_000,
})

process.on('message', async (scope) => {
  const result = tokens.getAccessToken('c', { scope, forceRenewal: true })
  process.send?.(await result.then(({ scope: granted }) => granted, String))
})
process.on('disconnect', () => process.exit())
process.send?.('ready')
