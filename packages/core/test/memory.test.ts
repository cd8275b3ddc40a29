import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createTokenManager, type TokenResponse } from '@tokenward/core'
import { expect, test } from 'vitest'
import { definition } from './support'

const TOKEN_LENGTH = 1_000
/** What V8 adds to the characters of a string, in bytes. */
const STRING_HEADER_BYTES = 16
/** Nearly a power of two, so that the tables of maps are nearly full. */
const KEYS = 4_000

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Keeps a token for each of so many tenants, and uses each of them twice. */
async function keepTokens(keys: number) {
  let issued = 0
  // A text of its own for each token, in one piece.
  const newToken = () => Buffer.alloc(TOKEN_LENGTH, `${issued++}.`).toString('latin1')
  const request = async (): Promise<TokenResponse> => ({
    access_token: newToken(),
    token_type: 'Bearer',
    expires_in: 3_600,
  })
  const tokens = createTokenManager({ clients: { c: definition }, requester: { request }, maxEntries: keys })
  for (let call = 0; call < 2 * keys; call++) {
    await tokens.getAccessToken('c', { parameters: { tenant: `tenant-${call % keys}` } })
  }
  return tokens
}

async function heapUsed(): Promise<number> {
  // Finalizers and microtasks free more.
  for (let run = 0; run < 4; run++) {
    collectGarbage()
    await new Promise(setImmediate)
  }
  return process.memoryUsage().heapUsed
}

test('a kept token takes less than one kibibyte beside the token itself', async () => {
  // Its code is compiled now, and does not count below.
  await keepTokens(KEYS)
  const before = await heapUsed()
  const tokens = await keepTokens(KEYS)
  const bytes = (await heapUsed()) - before
  expect(tokens.status().clients.c?.tokens).toHaveLength(KEYS)
  expect(bytes / KEYS - TOKEN_LENGTH - STRING_HEADER_BYTES).toBeLessThan(1_024)
})

test('a token that was deleted does not stay in memory', async () => {
  const request = async (): Promise<TokenResponse> => ({ access_token: 'a', token_type: 'Bearer', expires_in: 3_600 })
  const tokens = createTokenManager({ clients: { c: definition }, requester: { request } })
  const use = async () => new WeakRef(await tokens.getAccessToken('c'))
  await use()
  const token = await use()
  await heapUsed()
  expect(token.deref()).toBeDefined()
  await new Promise(setImmediate)
  await tokens.deleteAccessToken('c')
  await heapUsed()
  expect(token.deref()).toBeUndefined()
})
