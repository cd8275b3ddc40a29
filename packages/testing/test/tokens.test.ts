import { ConfigurationError, type TokenManager, TokenRequestError, UnknownClientError } from '@tokenward/core'
import { createTestTokens, TestClock } from '@tokenward/testing'
import { describe, expect, test } from 'vitest'

const HOUR = 3_600_000

/** Code as a user would write it. */
async function tokenValue<Name extends string>(tokens: TokenManager<Name>, client: Name): Promise<string> {
  return (await tokens.getAccessToken(client)).value
}

describe('values', () => {
  test('tokens are numbered by client unless a value is given', async () => {
    const tokens = createTestTokens({ clients: { a: {}, 'b c': {}, d: { value: 'fixed' } } })
    expect(await tokenValue(tokens, 'a')).toBe('a-token-1')
    expect(await tokenValue(tokens, 'b c')).toBe('b-c-token-1')
    expect(await tokenValue(tokens, 'd')).toBe('fixed')
    await tokens.clear()
    expect(await tokenValue(tokens, 'a')).toBe('a-token-2')
    expect(await tokenValue(tokens, 'd')).toBe('fixed')
  })

  test('an array is used up in order, and then tokens are numbered', async () => {
    const value = ['one', 'two']
    const tokens = createTestTokens({ clients: { a: { value } } })
    value.push('changed later')
    const values: string[] = []
    for (let request = 0; request < 3; request++) {
      values.push((await tokens.getAccessToken('a', { forceRenewal: true })).value)
    }
    expect(values).toEqual(['one', 'two', 'a-token-3'])
  })

  test('a function gets the request', async () => {
    const tokens = createTestTokens({
      clients: {
        a: { scope: 'read', value: async ({ client, scope, parameters }) => `${client}/${scope}/${parameters.t}` },
      },
    })
    expect((await tokens.getAccessToken('a', { parameters: { t: '1' } })).value).toBe('a/read/1')
    expect((await tokens.getAccessToken('a', { parameters: { t: '2' }, scope: 'write' })).value).toBe('a/write/2')
  })

  test('a token has the type, scope, client and expiry that it would really have', async () => {
    const clock = new TestClock('2030-01-01T00:00:00Z')
    const tokens = createTestTokens({
      clients: { a: { scope: 'read write', grantedScope: 'read', lifetimeMs: 60_000 }, b: { scope: 'x', dpop: true } },
      clock,
    })
    const token = await tokens.getAccessToken('a')
    expect(token).toMatchObject({ type: 'Bearer', scope: 'read', client: 'a' })
    expect(token.expiresAt).toEqual(new Date('2030-01-01T00:01:00Z'))
    expect(await tokens.getAccessToken('b')).toMatchObject({ type: 'DPoP', scope: 'x' })
  })
})

describe('the record', () => {
  test('calls hold the options of each call, requests what the token endpoint would have got', async () => {
    const tokens = createTestTokens({ clients: { a: { scope: 'read', audience: 'api' } } })
    const { signal } = new AbortController()
    await tokens.getAccessToken('a')
    await tokens.getAccessToken('a', { scope: undefined })
    await tokens.getAccessToken('a', { scope: 'write', resource: 'urn:r', parameters: { t: '1' }, signal })
    expect(tokens.calls).toEqual([
      { client: 'a', options: {} },
      { client: 'a', options: {} },
      { client: 'a', options: { scope: 'write', resource: 'urn:r', parameters: { t: '1' }, signal } },
    ])
    const nothing = { client: 'a', audience: 'api', clientAssertion: undefined }
    expect(tokens.requests).toEqual([
      { ...nothing, scope: 'read', resource: [], parameters: {} },
      { ...nothing, scope: 'write', resource: ['urn:r'], parameters: { t: '1' } },
    ])
  })

  test('the supplier of a client assertion is called as for a real request', async () => {
    const tokens = createTestTokens({ clients: { a: {} } })
    await tokens.getAccessToken('a', { clientAssertion: async ({ client, audience }) => `${client} for ${audience}` })
    expect(tokens.requests[0]?.clientAssertion).toBe('a for https://test.invalid/a/token')
    const fails = { clientAssertion: () => Promise.reject(new Error('no vault')), forceRenewal: true }
    await expect(tokens.getAccessToken('a', fails)).rejects.toMatchObject({
      error: 'credential_unavailable',
      cause: new Error('no vault'),
    })
  })

  test('a rejection is recorded, and the next call gets another token', async () => {
    const tokens = createTestTokens({ clients: { a: {} } })
    const rejected = await tokens.getAccessToken('a')
    await tokens.rejectAccessToken('a', rejected, {}, 'https://api.example')
    expect(await tokenValue(tokens, 'a')).toBe('a-token-2')
    expect(tokens.rejections).toEqual([
      { client: 'a', value: 'a-token-1', origin: 'https://api.example', willRenew: true },
    ])
  })

  test('a call for an unknown client is recorded and rejected', async () => {
    const tokens = createTestTokens({ clients: { a: {}, b: {} } })
    // @ts-expect-error no such client
    const error = await tokens.getAccessToken('c').catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(UnknownClientError)
    expect(error).toMatchObject({ client: 'c', knownClients: ['a', 'b'] })
    expect(tokens.calls).toEqual([{ client: 'c', options: {} }])
    expect(tokens.requests).toEqual([])
  })
})

describe('failures', () => {
  test.each([
    ['invalid_client', 401, false],
    ['invalid_scope', 400, false],
    ['server_error', 503, true],
    ['timeout', undefined, true],
    ['network_error', undefined, true],
    ['credential_unavailable', undefined, true],
  ])('%s fails one call at once, with its usual status', async (error, status, retryable) => {
    const tokens = createTestTokens({ clients: { a: {} } })
    tokens.failNext('a', error)
    const thrown = await tokens.getAccessToken('a').catch((reason: unknown) => reason)
    expect(thrown).toBeInstanceOf(TokenRequestError)
    expect(thrown).toMatchObject({ client: 'a', error, status, retryable, retryAfterMs: undefined })
    expect(tokens.requests).toHaveLength(1)
    await tokens.clock.advance(500)
    expect(await tokenValue(tokens, 'a')).toBe('a-token-2')
  })

  test('retryAfterMs reaches the caller, and no request is made before that time is over', async () => {
    const tokens = createTestTokens({ clients: { a: {} } })
    tokens.failNext('a', { error: 'server_error', status: 429, errorDescription: 'slow down', retryAfterMs: 5_000 })
    await expect(tokens.getAccessToken('a')).rejects.toMatchObject({ status: 429, retryAfterMs: 5_000 })
    await tokens.clock.advance(2_000)
    await expect(tokens.getAccessToken('a')).rejects.toMatchObject({ status: 429, retryAfterMs: 3_000 })
    await tokens.clock.advance(3_000)
    expect(await tokenValue(tokens, 'a')).toBe('a-token-2')
    expect(tokens.requests).toHaveLength(2)
  })

  test('failAlways lasts until recover, and concerns one client only', async () => {
    const tokens = createTestTokens({ clients: { a: {}, b: {} } })
    tokens.failAlways('a', 'server_error')
    for (let call = 0; call < 5; call++) {
      await expect(tokens.getAccessToken('a')).rejects.toMatchObject({ error: 'server_error' })
      await tokens.clock.advance(10_000)
    }
    expect(await tokenValue(tokens, 'b')).toBe('b-token-1')
    expect(tokens.requests.filter(({ client }) => client === 'a')).toHaveLength(5)
    tokens.recover('a')
    expect(await tokenValue(tokens, 'a')).toBe('a-token-6')
  })

  test('a valid token stays in use while requests fail', async () => {
    const tokens = createTestTokens({ clients: { a: {} } })
    await tokens.getAccessToken('a')
    tokens.failAlways('a', 'invalid_client')
    await tokens.clock.advance(0.99 * HOUR)
    expect(await tokenValue(tokens, 'a')).toBe('a-token-1')
    await tokens.clock.advance(0.02 * HOUR)
    await expect(tokens.getAccessToken('a')).rejects.toMatchObject({ error: 'invalid_client' })
  })

  test('a function of the value can script them too', async () => {
    const value = ({ client }: { client: string }) => {
      throw new TokenRequestError({ client, error: 'invalid_grant', retryable: false })
    }
    const tokens = createTestTokens({ clients: { a: { value } } })
    await expect(tokens.getAccessToken('a')).rejects.toMatchObject({ error: 'invalid_grant' })
  })
})

describe('time', () => {
  test('the token is renewed ahead at 80 % of its lifetime, and replaced when it has expired', async () => {
    const tokens = createTestTokens({ clients: { a: {} } })
    const { clock } = tokens
    await tokens.getAccessToken('a')
    await clock.advance(0.8 * HOUR - 1)
    expect(await tokenValue(tokens, 'a')).toBe('a-token-1')
    await clock.advance(0)
    expect(tokens.requests).toHaveLength(1)
    await clock.advance(1)
    expect(await tokenValue(tokens, 'a')).toBe('a-token-1')
    await clock.advance(0)
    expect(await tokenValue(tokens, 'a')).toBe('a-token-2')
    await clock.advance(2 * HOUR)
    expect(await tokenValue(tokens, 'a')).toBe('a-token-3')
  })

  test('nothing expires while the clock stands still', async () => {
    const tokens = createTestTokens({ clients: { a: { lifetimeMs: 100 } } })
    await tokens.getAccessToken('a')
    await new Promise((resolve) => setTimeout(resolve, 150))
    expect(await tokenValue(tokens, 'a')).toBe('a-token-1')
  })

  test('a call that waits for its token ends with its signal', async () => {
    const tokens = createTestTokens({ clients: { a: { value: () => new Promise<string>(() => {}) } } })
    const controller = new AbortController()
    const call = tokens.getAccessToken('a', { signal: controller.signal })
    controller.abort(new Error('stopped'))
    await expect(call).rejects.toThrow('stopped')
    await tokens.close()
  })
})

describe('what is wrong is named', () => {
  const problemsOf = (run: () => unknown) => {
    try {
      run()
    } catch (error) {
      if (error instanceof ConfigurationError) return error.message
      throw error
    }
    throw new Error('nothing was thrown')
  }
  const make = (options: unknown) =>
    problemsOf(() => createTestTokens(options as Parameters<typeof createTestTokens>[0]))

  test.each<[unknown, string]>([
    [undefined, "clients: must be an object with the clients by name: { 'invoice.client': {} }"],
    [{ clients: { a: 'token' } }, "client 'a', client: must be an object; {} is enough"],
    [{ clients: { a: { values: ['x'] } } }, "client 'a', values: is not an option of a test client; known: value, "],
    [
      { clients: { a: { value: 'two words' } } },
      "client 'a', value: must be a token, an array of tokens or a function",
    ],
    [{ clients: { a: { value: ['ok', 7] } } }, "client 'a', value: must be a token"],
    [{ clients: { a: { lifetimeMs: '1h' } } }, "client 'a', lifetimeMs: must be a finite number of milliseconds"],
    [{ clients: { a: { scope: 7 } } }, "client 'a', scope: must be a string of scopes"],
    [{ clients: {}, clock: { now: Date.now } }, 'clock: must be a TestClock'],
    [{ clients: {}, store: {} }, 'store: is not an option; known: clients, clock'],
  ])('%j', (options, message) => {
    expect(make(options)).toContain(message)
  })

  test('a failure', () => {
    const tokens = createTestTokens({ clients: { a: {} } })
    const fail = (failure: unknown) => problemsOf(() => tokens.failNext('a', failure as { error: string }))
    expect(fail({})).toContain('error must be the code of the failure')
    expect(fail('')).toContain('error must be the code of the failure')
    expect(fail(undefined)).toContain('error must be the code of the failure')
    expect(fail({ error: 'timeout', retryAfter: 3 })).toContain('retryAfter is not an option; known: error,')
    expect(fail({ error: 'timeout', retryAfterMs: -1 })).toContain('retryAfterMs must be a number')
    for (const method of ['failNext', 'failAlways', 'recover'] as const) {
      // @ts-expect-error no such client
      expect(() => tokens[method]('b', 'timeout')).toThrow(UnknownClientError)
    }
  })

  test.each<[string, () => unknown, string]>([
    ['throws', () => Promise.reject(new Error('oops')), "client 'a', value: threw Error: oops"],
    ['returns nothing', () => undefined, "client 'a', value: returned undefined"],
    ['returns what is no token', () => 'a b', "client 'a', value: returned 'a b'; a token consists of"],
  ])('a function of the value that %s', async (_what, value, message) => {
    const tokens = createTestTokens({ clients: { a: { value: value as () => string } } })
    await expect(tokens.getAccessToken('a')).rejects.toThrow(message)
  })
})
