import { inspect } from 'node:util'
import { createTokenManager, TokenRequestError, WarmUpError } from '@tokenward/core'
import { expect, test } from 'vitest'
import { definition, recordEvents, scripted } from './support'

test('every client gets its token, so that no first call waits', async () => {
  const { tokens, endpoint } = scripted()
  const uses = recordEvents(tokens, 'tokenUsed')
  await tokens.warmUp()
  expect(endpoint.requests).toHaveLength(2)
  expect(uses).toEqual([])
  await tokens.getAccessToken('catalog.client')
  await tokens.getAccessToken('invoice.client')
  expect(endpoint.requests).toHaveLength(2)
})

test('only the clients that are named', async () => {
  const { tokens, endpoint } = scripted()
  await tokens.warmUp(['invoice.client', 'invoice.client'])
  expect(Object.values(tokens.status().clients).map((client) => client.tokens.length)).toEqual([0, 1])
  expect(endpoint.requests).toHaveLength(1)
})

test('one error names every client that cannot get a token, and why; the others have theirs', async () => {
  const SECRET = 'what-the-supplier-said'
  const tokens = createTokenManager({
    clients: {
      good: definition,
      refused: { ...definition, clientId: 'refused' },
      late: async () => Promise.reject(Object.assign(new Error(SECRET), { code: 'ENOENT' })),
      wrong: async () => ({ ...definition, clientId: '' }),
    },
    requester: {
      async request({ name, clientId }) {
        if (clientId !== 'refused') return { access_token: 't', token_type: 'Bearer', expires_in: 60 }
        throw new TokenRequestError({ client: name, error: 'invalid_client', retryable: false })
      },
    },
  })
  const error: WarmUpError = await tokens
    .warmUp(['good', 'refused', 'late', 'wrong', 'unknown' as 'good'])
    .catch((thrown) => thrown)
  expect(error).toBeInstanceOf(WarmUpError)
  expect(error).toMatchObject({
    name: 'WarmUpError',
    code: 'warm_up_failed',
    failures: [
      { client: 'refused', error: { code: 'token_request_failed', error: 'invalid_client' } },
      { client: 'late', error: { code: 'token_request_failed', error: 'credential_unavailable' } },
      { client: 'wrong', error: { code: 'invalid_configuration' } },
      { client: 'unknown', error: { code: 'unknown_client', knownClients: ['good', 'refused', 'late', 'wrong'] } },
    ],
  })
  expect(error.message.split('\n')).toEqual([
    '4 of 5 clients cannot get a token:',
    "  refused: no access token for client 'refused': invalid_client",
    "  late: no access token for client 'late': credential_unavailable (the definition could not be loaded: ENOENT)",
    "  wrong: client 'wrong', clientId: is empty",
    "  unknown: no client 'unknown' is defined; defined: 'good', 'refused', 'late', 'wrong'",
  ])
  expect(error.failures[1]?.error).toMatchObject({ cause: { message: SECRET } })
  expect(inspect(error, { depth: 10, showHidden: true }) + JSON.stringify(error)).not.toContain(SECRET)
  expect(tokens.status().clients.good?.tokens).toMatchObject([{ state: 'valid' }])
})

test('names that are no array are refused', async () => {
  const { tokens } = scripted()
  const names = 'catalog.client' as unknown as ['catalog.client']
  await expect(tokens.warmUp(names)).rejects.toMatchObject({
    code: 'invalid_configuration',
    message: 'names: must be an array of client names',
  })
})

test('a closed manager', async () => {
  const { tokens } = scripted()
  await tokens.close()
  await expect(tokens.warmUp(['catalog.client'])).rejects.toMatchObject({ failures: [{ error: { error: 'closed' } }] })
})
