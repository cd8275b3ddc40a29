import { type AccessToken, createTokenManager, type GetAccessTokenOptions, type TokenCache } from '@tokenward/core'
import { expect, test } from 'vitest'
import { definition, ScriptedEndpoint, scripted, settle, TestClock } from './support'

const HOUR = 3_600_000

/** A manager that has used its token of an hour, so that the next use need not be checked. */
async function warm(options: Parameters<typeof scripted>[0] = {}) {
  const started = scripted(options)
  started.endpoint.expiresIn = HOUR / 1_000
  const use = async (call?: GetAccessTokenOptions) =>
    (await started.tokens.getAccessToken('catalog.client', call)).value
  await use()
  expect(await use()).toBe('token-1')
  return { ...started, use }
}

test('all callers of a cached token get one promise, and adapters the token itself', async () => {
  const { tokens } = await warm()
  const first = tokens.getAccessToken('catalog.client')
  expect(tokens.getAccessToken('catalog.client')).toBe(first)
  expect(tokens.getAccessToken('catalog.client', { signal: new AbortController().signal })).toBe(first)
  expect(tokens.readyAccessToken?.('catalog.client')).toBe(await first)
  expect(tokens.readyAccessToken?.('invoice.client')).toBeUndefined()
})

test('errors are rejections, never thrown at once', async () => {
  const { tokens } = await warm()
  const throwing = {
    get scope(): string {
      throw new Error('a getter that throws')
    },
  }
  const wrong: unknown[] = [null, 1n, 'text', { scopes: 'a' }, { scope: 1 }, { minValidityMs: -1 }, throwing]
  for (const options of wrong) {
    const call = tokens.getAccessToken('catalog.client', options as GetAccessTokenOptions)
    expect(call).toBeInstanceOf(Promise)
    await call.then(
      () => expect([1n]).toContain(options),
      () => undefined,
    )
    expect(tokens.readyAccessToken?.('catalog.client', options as GetAccessTokenOptions)?.value).toBe(
      options === 1n ? 'token-1' : undefined,
    )
  }
  await expect(tokens.getAccessToken('unknown' as 'catalog.client')).rejects.toMatchObject({ code: 'unknown_client' })
  const aborted = AbortSignal.abort(new Error('given up'))
  await expect(tokens.getAccessToken('catalog.client', { signal: aborted })).rejects.toThrow('given up')
})

test.each<[string, (started: Awaited<ReturnType<typeof warm>>, token: AccessToken) => unknown]>([
  ['rejected', ({ tokens }, token) => tokens.rejectAccessToken('catalog.client', token)],
  ['deleted', ({ tokens }) => tokens.deleteAccessToken('catalog.client')],
  ['cleared', ({ tokens }) => tokens.clear('catalog.client')],
  ['cleared with all others', ({ tokens }) => tokens.clear()],
  ['renewed by force', ({ tokens }) => tokens.getAccessToken('catalog.client', { forceRenewal: true })],
  [
    'of a client that was removed and added',
    ({ tokens }) => {
      tokens.removeClient('catalog.client')
      tokens.addClient('catalog.client', { ...definition, scope: 'other' })
    },
  ],
])('a token that was %s is not used again, at the same moment', async (_what, act) => {
  const started = await warm()
  await act(started, await started.tokens.getAccessToken('catalog.client'))
  expect(started.tokens.readyAccessToken?.('catalog.client')?.value).not.toBe('token-1')
  expect(await started.use()).toBe('token-2')
})

test('a closed manager and a removed client have no token', async () => {
  const { tokens } = await warm()
  const removed = await warm()
  removed.tokens.removeClient('catalog.client')
  await expect(removed.use()).rejects.toMatchObject({ code: 'unknown_client' })
  const closing = tokens.close()
  expect(tokens.readyAccessToken?.('catalog.client')).toBeUndefined()
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ error: 'closed' })
  await closing
})

test('a machine that was suspended, in whatever moment, uses no expired token', async () => {
  const { clock, use } = await warm()
  await clock.advance(10)
  clock.jumpWallClock(HOUR)
  expect(await use()).toBe('token-2')
})

test('a wall clock that is set back again and again lengthens the life of no token', async () => {
  const { clock, use } = await warm()
  const minutes = 49
  for (let minute = 0; minute < minutes; minute++) {
    for (let second = 0; second < 60; second++) clock.jumpWallClock(-999)
    await use()
    await clock.advance(60_000)
  }
  await use()
  await settle()
  expect(await use()).toBe('token-2')
})

test('a token that is used all the time is renewed when its second stage begins', async () => {
  const { clock, endpoint, use } = await warm()
  const renewAt = HOUR * 0.8
  await clock.advance(renewAt - 500)
  expect(await use()).toBe('token-1')
  await clock.advance(499)
  await use()
  await settle()
  expect(endpoint.requests).toHaveLength(1)
  await clock.advance(1)
  await use()
  await settle()
  expect(endpoint.requests).toHaveLength(2)
  expect(await use()).toBe('token-2')
})

test('a demand of a remaining lifetime counts for the call that has it', async () => {
  const { clock, use } = await warm()
  expect(await use({ minValidityMs: HOUR / 2 })).toBe('token-1')
  await clock.advance(HOUR / 2)
  expect(await use()).toBe('token-1')
  expect(await use({ minValidityMs: HOUR / 2 - 1 })).toBe('token-1')
  expect(await use({ minValidityMs: HOUR / 2 })).toBe('token-2')
})

test('each use counts when the least recently used token is dropped', async () => {
  const { tokens, endpoint } = scripted({ maxEntries: 3 })
  const use = async (scope?: string) =>
    (await tokens.getAccessToken('catalog.client', scope === undefined ? undefined : { scope })).value
  const first = await use()
  for (const scope of ['a', 'b', 'c', 'd', 'e']) {
    await use(scope)
    // The first use after another token's, and those that follow it.
    for (let call = 0; call < 3; call++) expect(await use()).toBe(first)
  }
  expect(await use('e')).toBe('token-6')
  expect(await use('a')).toBe('token-7')
  expect(endpoint.requests).toHaveLength(7)
})

test('calls with options find their own token, whatever the options contain', async () => {
  const { tokens } = scripted()
  const calls: GetAccessTokenOptions[] = [
    {},
    { scope: '' },
    { scope: 'a' },
    { audience: 'a' },
    { resource: 'urn:a' },
    { resource: ['urn:a', 'urn:b'] },
    { resource: [] },
    { scope: 'a', audience: 'a' },
    { scope: 'a', audience: 'a', parameters: { a: 'b' } },
    { parameters: { a: 'b' } },
    { parameters: { a: 'b', c: 'd' } },
    { parameters: { a: 'bp1:c1:d' } },
    { parameters: { a: '' } },
  ]
  const values = []
  for (const call of calls) values.push((await tokens.getAccessToken('catalog.client', call)).value)
  // A resource list that replaces none by none is no other request.
  expect(new Set(values).size).toBe(calls.length - 1)
  for (const [index, call] of calls.entries()) {
    expect((await tokens.getAccessToken('catalog.client', call)).value).toBe(values[index])
    expect(tokens.readyAccessToken?.('catalog.client', structuredClone(call))?.value).toBe(values[index])
  }
  // The text that another call is remembered by is no valid scope.
  for (const scope of ['a1:a', 's1:aa1:a', '"']) {
    expect(tokens.readyAccessToken?.('catalog.client', { scope })).toBeUndefined()
  }
  await expect(tokens.getAccessToken('catalog.client', { scope: '"' })).rejects.toMatchObject({
    code: 'invalid_configuration',
  })
})

test('a listener that clears the tokens while a call starts a renewal leaves none in use', async () => {
  const { tokens, clock, use } = await warm()
  tokens.on('renewalStarted', () => void tokens.clear())
  await clock.advance(HOUR * 0.81)
  await use()
  expect(tokens.readyAccessToken?.('catalog.client')).toBeUndefined()
  await settle()
  expect(await use()).not.toBe('token-1')
})

/** A cache that returns the same token to everybody: a mock, because only its use is the subject. */
function simpleCache(window?: TokenCache['window']): TokenCache & { gets: number } {
  return {
    gets: 0,
    async get(key, { loader, client }) {
      this.gets++
      void key
      const { token } = await loader.load({ signal: new AbortController().signal, isAwaited: () => true })
      return { ...token, value: `of-${client}`, type: 'Bearer' }
    },
    ...(window && { window }),
    reject: () => true,
    async delete() {},
    async clear() {},
    held: () => [],
    forget() {},
    async close() {},
  }
}

test('a cache of the user without windows is asked for each use, and one whose windows throw too', async () => {
  const throws = () => {
    throw new Error('a cache of the user')
  }
  for (const cache of [simpleCache(), simpleCache(throws), simpleCache(() => ({ use: throws }))]) {
    const clock = new TestClock()
    const requester = new ScriptedEndpoint(clock)
    const tokens = createTokenManager({ clients: { c: definition }, requester, clock, cache })
    for (let call = 0; call < 3; call++) expect((await tokens.getAccessToken('c')).value).toBe('of-c')
    expect(tokens.readyAccessToken?.('c')).toBeUndefined()
    expect(cache.gets).toBe(3)
  }
})

test('a listener can remove the client while its token is used', async () => {
  const { tokens } = await warm()
  expect(tokens.readyAccessToken?.('catalog.client')?.value).toBe('token-1')
  tokens.on('tokenUsed', () => tokens.removeClient('catalog.client'))
  expect(tokens.readyAccessToken?.('catalog.client')).toBeUndefined()
  await expect(tokens.getAccessToken('catalog.client')).rejects.toMatchObject({ code: 'unknown_client' })
})

test('a window that a cache of the user does not end is not used for a removed client or a closed manager', async () => {
  const start = async () => {
    const token = { value: 'of-c', type: 'Bearer', client: 'c' } as AccessToken
    const open = { token, promise: Promise.resolve(token) }
    const clock = new TestClock()
    const cache = simpleCache(() => ({ use: () => open }))
    const tokens = createTokenManager({
      clients: { c: definition },
      requester: new ScriptedEndpoint(clock),
      clock,
      cache,
    })
    await tokens.getAccessToken('c')
    for (let call = 0; call < 3; call++) expect(tokens.readyAccessToken?.('c')?.value).toBe('of-c')
    return tokens
  }
  const removed = await start()
  removed.removeClient('c')
  expect(removed.readyAccessToken?.('c')).toBeUndefined()
  const closed = await start()
  await closed.close()
  expect(closed.readyAccessToken?.('c')).toBeUndefined()
})
