import { createTokenManager, refreshToken, type StoreLease, type TokenManager, type TokenStore } from '@tokenward/core'
import { memoryStore } from '@tokenward/store-memory'
import { LeasingStore, runs, startProvider } from '@tokenward/test-support'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { settle, TestClock } from './support'

/**
 * A token endpoint that issues a new refresh token with each response, and ends the grant when one is used twice, as RFC 9700 §4.14.2 wants
 * it. It is a mock because the clock is one too; `with a real server` below tests against a real server.
 */
class RotatingEndpoint {
  readonly #clock: TestClock
  /** The refresh tokens that were sent, in order. */
  readonly sent: (string | null)[] = []
  readonly scopes: (string | null)[] = []
  /** Further members of each response. */
  more: Record<string, unknown> = {}
  latencyMs = 0
  /** Whether the responses get lost on their way, though the endpoint has done its work. */
  losesResponses = false
  rotates = true
  /** Whether the second use of a refresh token ends the grant. */
  revokesOnReuse = true
  /** Whether used refresh tokens are accepted, as servers do for a short time. */
  acceptsUsed = false
  #valid = 'rt-0'
  #issued = 0
  isRevoked = false
  inFlight = 0
  mostInFlight = 0

  constructor(clock: TestClock) {
    this.#clock = clock
  }

  /** A person gives a new consent. */
  consent(first: string): void {
    this.#valid = first
    this.isRevoked = false
  }

  readonly fetch: typeof fetch = async (_input, init) => {
    this.mostInFlight = Math.max(this.mostInFlight, ++this.inFlight)
    try {
      const form = new URLSearchParams(String(init?.body))
      const refreshToken = form.get('refresh_token')
      this.sent.push(refreshToken)
      this.scopes.push(form.get('scope'))
      const response = this.#respond(refreshToken)
      await this.#wait(init?.signal)
      if (this.losesResponses) throw new TypeError('fetch failed')
      return response
    } finally {
      this.inFlight--
    }
  }

  #respond(refreshToken: string | null): Response {
    const isUsed = refreshToken !== this.#valid && !this.acceptsUsed
    if (isUsed && this.revokesOnReuse) this.isRevoked = true
    if (isUsed || this.isRevoked) {
      const body = { error: 'invalid_grant', error_description: `refresh token ${refreshToken} already used` }
      return Response.json(body, { status: 400 })
    }
    const number = ++this.#issued
    if (this.rotates) this.#valid = `rt-${number}`
    const rotated = this.rotates ? { refresh_token: this.#valid } : {}
    return Response.json({
      access_token: `at-${number}`,
      token_type: 'Bearer',
      expires_in: 100,
      ...rotated,
      ...this.more,
    })
  }

  #wait(signal: AbortSignal | null | undefined): Promise<void> {
    if (this.latencyMs === 0) return Promise.resolve()
    return new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason))
      this.#clock.setTimeout(resolve, this.latencyMs)
    })
  }
}

type Options = Partial<Parameters<typeof refreshToken>[0]>

function setUp(store?: TokenStore, clock = new TestClock()) {
  const endpoint = new RotatingEndpoint(clock)
  const start = (options: Options = {}, ownStore = store): TokenManager<'c'> =>
    createTokenManager({
      clients: {
        c: {
          tokenEndpoint: 'https://as.example/token',
          clientId: 'reports',
          clientSecret: 's',
          scope: 'a b',
          fetch: endpoint.fetch,
          timeoutMs: 5_000,
          requester: refreshToken({ refreshToken: 'rt-0', ...options }),
        },
      },
      clock,
      random: () => 0.5,
      ...(ownStore && { store: ownStore }),
    })
  return { clock, endpoint, start }
}

function shared() {
  const clock = new TestClock()
  const store = new LeasingStore(clock.monotonic)
  return { store, ...setUp(store, clock) }
}

const down = () => Promise.reject(new Error('down'))

const accessToken = async (tokens: TokenManager<'c'>, options = {}) => (await tokens.getAccessToken('c', options)).value

/** The error of a call that fails, after all that is tried again. */
async function errorAfterRetries(clock: TestClock, tokens: TokenManager<'c'>): Promise<unknown> {
  const failed = tokens.getAccessToken('c').then(undefined, (thrown: unknown) => thrown)
  await clock.advance(10_000)
  return failed
}

test('each token request is sent with the refresh token of the response before it', async () => {
  const { clock, endpoint, start } = setUp()
  const tokens = start()
  expect(await accessToken(tokens)).toBe('at-1')
  await clock.advance(101_000)
  expect(await accessToken(tokens)).toBe('at-2')
  await clock.advance(101_000)
  expect(await accessToken(tokens)).toBe('at-3')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1', 'rt-2'])
})

test('a response without a refresh token leaves the old one in use', async () => {
  const { clock, endpoint, start } = setUp()
  endpoint.rotates = false
  const tokens = start()
  await accessToken(tokens)
  await clock.advance(101_000)
  await accessToken(tokens)
  expect(endpoint.sent).toEqual(['rt-0', 'rt-0'])
})

test('a process that starts again goes on with the refresh token of the store', async () => {
  const { clock, endpoint, start } = shared()
  const tokens = start()
  await accessToken(tokens)
  await tokens.close()
  await clock.advance(101_000)
  expect(await accessToken(start())).toBe('at-2')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1'])
})

test('the refresh token is in the store before any caller gets the access token', async () => {
  const { store, start } = shared()
  store.values.clear()
  await accessToken(start())
  expect([...store.values.values()].some(({ value }) => value.includes('rt-1'))).toBe(true)
})

test('clear, deleteAccessToken and a 401 end access tokens only', async () => {
  const { endpoint, start } = shared()
  const tokens = start()
  const token = await tokens.getAccessToken('c')
  await tokens.rejectAccessToken('c', token)
  expect(await accessToken(tokens)).toBe('at-2')
  await tokens.clear()
  expect(await accessToken(tokens)).toBe('at-3')
  await tokens.deleteAccessToken('c')
  expect(await accessToken(tokens)).toBe('at-4')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1', 'rt-2', 'rt-3'])
})

test('tokens of different scopes take turns with the one refresh token', async () => {
  for (const { clock, endpoint, start } of [setUp(), shared()]) {
    endpoint.latencyMs = 20
    const tokens = start()
    const all = Promise.all(['a', 'b', 'a b'].map((scope) => accessToken(tokens, { scope })))
    await clock.advance(2_000)
    expect(new Set(await all)).toEqual(new Set(['at-1', 'at-2', 'at-3']))
    expect(endpoint.sent).toEqual(['rt-0', 'rt-1', 'rt-2'])
    expect(endpoint.mostInFlight).toBe(1)
    expect(endpoint.scopes.toSorted()).toEqual(['a', 'a b', 'b'])
  }
})

test('in a fleet, each refresh token is used once, whoever renews and for whatever scope', async () => {
  const { clock, endpoint, start } = shared()
  endpoint.latencyMs = 30
  const processes = Array.from({ length: 8 }, () => start())
  for (let round = 0; round < 3; round++) {
    const all = Promise.all(
      processes.map((each, index) => accessToken(each, { scope: index % 2 ? 'a' : 'b', forceRenewal: index === 0 })),
    )
    await clock.advance(5_000)
    await all
    await clock.advance(100_000)
  }
  expect(endpoint.isRevoked).toBe(false)
  expect(endpoint.mostInFlight).toBe(1)
  expect(new Set(endpoint.sent).size).toBe(endpoint.sent.length)
})

test('two definitions of one client share its refresh token', async () => {
  const { clock, endpoint, start } = shared()
  const tokens = start()
  tokens.addClient('other', {
    tokenEndpoint: 'https://as.example/token',
    clientId: 'reports',
    clientSecret: 's',
    fetch: endpoint.fetch,
    requester: refreshToken({ refreshToken: 'rt-0' }),
  })
  await accessToken(tokens)
  await (tokens as TokenManager).getAccessToken('other')
  await clock.advance(0)
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1'])
})

test('with a new first refresh token, the kept one of the old consent is not used', async () => {
  const { endpoint, start } = shared()
  await accessToken(start())
  endpoint.consent('consent-2')
  expect(await accessToken(start({ refreshToken: 'consent-2' }))).toBe('at-2')
  expect(endpoint.sent).toEqual(['rt-0', 'consent-2'])
})

test('a supplier that returns a new first refresh token ends the use of the kept one', async () => {
  const { clock, endpoint, start } = shared()
  let first = 'rt-0'
  const tokens = start({ refreshToken: async () => first, subject: 'reports' })
  await accessToken(tokens)
  endpoint.consent('consent-2')
  first = 'consent-2'
  await clock.advance(101_000)
  await accessToken(tokens)
  expect(endpoint.sent).toEqual(['rt-0', 'consent-2'])
})

test('a store that cannot be read keeps an old refresh token from being sent', async () => {
  const { clock, store, endpoint, start } = shared()
  const tokens = start()
  const others = start()
  await accessToken(tokens)
  await clock.advance(101_000)
  await accessToken(others)
  await clock.advance(101_000)
  store.broken = down
  const failed = tokens.getAccessToken('c').then(undefined, (thrown: unknown) => thrown)
  await clock.advance(4_000)
  const error = await failed
  expect(error).toMatchObject({ error: 'credential_unavailable', retryable: true })
  expect(String(error)).toContain('the store failed')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1'])
  store.broken = undefined
  await clock.advance(1_000)
  const third = accessToken(tokens)
  await clock.advance(5_000)
  expect(await third).toBe('at-3')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1', 'rt-2'])
})

test('calls use the current token while the store cannot be read', async () => {
  const { clock, store, start } = shared()
  const tokens = start()
  await accessToken(tokens)
  await clock.advance(95_000)
  store.broken = down
  const value = accessToken(tokens)
  await clock.advance(1_000)
  expect(await value).toBe('at-1')
})

test('a refresh token that could not be written is written and used when the store is back', async () => {
  const { clock, store, endpoint, start } = shared()
  const tokens = start()
  await accessToken(tokens)
  await clock.advance(101_000)
  endpoint.latencyMs = 10
  const second = accessToken(tokens)
  await settle()
  store.broken = down
  await clock.advance(20)
  expect(await second).toBe('at-2')
  await clock.advance(101_000)
  const third = tokens.getAccessToken('c').then(undefined, (thrown: unknown) => thrown)
  await clock.advance(30_000)
  expect(await third).toMatchObject({ error: 'credential_unavailable' })
  store.broken = undefined
  await clock.advance(10_000)
  const others = accessToken(start(), { forceRenewal: true })
  await clock.advance(20)
  expect(await others).toBe('at-3')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1', 'rt-2'])
})

test('after an outage, the process that could not write its refresh token comes first', async () => {
  const { clock, store, endpoint, start } = shared()
  const [tokens, other] = [start(), start()]
  await accessToken(tokens)
  await clock.advance(101_000)
  endpoint.latencyMs = 10
  const second = accessToken(tokens)
  await settle()
  store.broken = down
  await clock.advance(20)
  expect(await second).toBe('at-2')
  // Longer than the lease.
  await clock.advance(30_000)
  const denied = other.getAccessToken('c').then(undefined, (thrown: unknown) => thrown)
  await clock.advance(10_000)
  expect(await denied).toMatchObject({ error: 'credential_unavailable' })
  store.broken = undefined
  const third = accessToken(other, { forceRenewal: true })
  await clock.advance(5_000)
  expect(await third).toBe('at-3')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1', 'rt-2'])
})

/** Its writes reach it, but it is too slow to say so. */
class SlowlyWrittenStore extends LeasingStore {
  isSlow = false

  override held(key: string, id: symbol): StoreLease {
    const lease = super.held(key, id)
    const commit: StoreLease['commit'] = async (...args) => {
      const isDone = await lease.commit(...args)
      return this.isSlow ? new Promise<never>(() => {}) : isDone
    }
    return { ...lease, commit }
  }
}

test('a write that reaches the store and seems to fail does not bring an old refresh token back', async () => {
  const clock = new TestClock()
  const store = new SlowlyWrittenStore(clock.monotonic)
  const { endpoint, start } = setUp(store, clock)
  const tokens = start()
  store.isSlow = true
  const first = accessToken(tokens)
  await clock.advance(300)
  expect(await first).toBe('at-1')
  const second = accessToken(start(), { forceRenewal: true })
  await clock.advance(300)
  expect(await second).toBe('at-2')
  await clock.advance(60_000)
  const third = accessToken(tokens, { forceRenewal: true })
  await clock.advance(5_000)
  expect(await third).toBe('at-3')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1', 'rt-2'])
})

test('close waits for a refresh token that is not in the store yet', async () => {
  const { clock, store, endpoint, start } = shared()
  const tokens = start()
  endpoint.latencyMs = 10
  const first = accessToken(tokens)
  await settle()
  store.broken = down
  await clock.advance(20)
  await first
  let isClosed = false
  const closed = tokens.close().then(() => {
    isClosed = true
  })
  await clock.advance(100)
  expect(isClosed).toBe(false)
  store.broken = undefined
  await clock.advance(5_000)
  await closed
  await clock.advance(101_000)
  const later = accessToken(start())
  await clock.advance(100)
  expect(await later).toBe('at-2')
})

test('a close in the middle of a token request does not lose the refresh token of its response', async () => {
  const { clock, endpoint, start } = shared()
  const tokens = start()
  endpoint.latencyMs = 100
  const first = tokens.getAccessToken('c').then(undefined, (thrown: unknown) => thrown)
  await settle()
  const closed = tokens.close()
  await clock.advance(200)
  await closed
  expect(await first).toMatchObject({ error: 'closed' })
  const later = accessToken(start())
  await clock.advance(200)
  expect(await later).toBe('at-2')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1'])
})

test('callers that give up do not lose the refresh token', async () => {
  const { clock, endpoint, start } = setUp()
  const tokens = start()
  endpoint.latencyMs = 4_000
  const controller = new AbortController()
  const first = tokens.getAccessToken('c', { signal: controller.signal }).then(undefined, (thrown: unknown) => thrown)
  await settle()
  controller.abort(new Error('gave up'))
  await clock.advance(4_500)
  expect(String(await first)).toContain('gave up')
  const next = accessToken(tokens)
  await clock.advance(4_500)
  expect(await next).toBe('at-2')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1'])
})

/** Ends every lease: what a process finds that was stopped for longer than its lease. */
function endLeases(store: LeasingStore): void {
  store.holders.clear()
}

const refreshTokenIn = (store: LeasingStore) =>
  [...store.values.values()].map(({ value }) => /"credential":"([^"]*)"/.exec(value)?.[1]).find(Boolean)

test('a process that was stopped for longer than its lease does not replace a newer refresh token', async () => {
  const { clock, store, endpoint, start } = shared()
  endpoint.acceptsUsed = true
  endpoint.latencyMs = 1_000
  const late = accessToken(start())
  await settle()
  endLeases(store)
  endpoint.latencyMs = 10
  const other = accessToken(start())
  await clock.advance(20)
  expect(await other).toBe('at-2')
  await clock.advance(5_000)
  expect(await late).toBe('at-1')
  expect(refreshTokenIn(store)).toBe('rt-2')
})

test('a process that was stopped between its lease and the token request does not send an old refresh token', async () => {
  const { clock, store, endpoint, start } = shared()
  const other = start()
  await accessToken(other)
  const stopped: TokenManager = start()
  let stop = async () => {
    clock.jumpWallClock(60_000)
    endLeases(store)
    await accessToken(other, { forceRenewal: true })
  }
  stopped.addClient('stopped', {
    tokenEndpoint: 'https://as.example/token',
    clientId: 'reports',
    clientSecret: async () => {
      await stop()
      return 's'
    },
    fetch: endpoint.fetch,
    requester: refreshToken({ refreshToken: 'rt-0' }),
  })
  const late = await stopped.getAccessToken('stopped').then(undefined, (thrown: unknown) => thrown)
  expect(late).toMatchObject({ error: 'credential_unavailable', retryable: true })
  stop = async () => {}
  await clock.advance(1_000)
  expect((await stopped.getAccessToken('stopped')).value).toBe('at-3')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1', 'rt-2'])
})

test('the refresh token of a process that was stopped helps the others, when it is the newest', async () => {
  const { clock, store, endpoint, start } = shared()
  endpoint.revokesOnReuse = false
  endpoint.latencyMs = 1_000
  const late = accessToken(start())
  await settle()
  endLeases(store)
  endpoint.latencyMs = 10
  const other = start()
  const failed = accessToken(other).then(undefined, (thrown: unknown) => thrown)
  await clock.advance(20)
  expect(await failed).toMatchObject({ error: 'invalid_grant' })
  await clock.advance(5_000)
  await late
  expect(refreshTokenIn(store)).toBe('rt-1')
  const next = accessToken(other, { forceRenewal: true })
  await clock.advance(1_000)
  expect(await next).toBe('at-2')
})

test('after an invalid_grant, a newer refresh token in the store is tried', async () => {
  const { clock, store, endpoint, start } = shared()
  endpoint.revokesOnReuse = false
  const late = start()
  await accessToken(late)
  await clock.advance(101_000)
  // Another process uses rt-1 and writes rt-2 while this one has sent rt-1.
  endpoint.latencyMs = 10
  const key = [...store.values].find(([, { value }]) => value.includes('rt-1'))?.[0] ?? ''
  endpoint.consent('rt-2')
  const value = accessToken(late)
  await settle()
  await store.set(key, JSON.stringify({ v: 1, key, credential: 'rt-2' }), 1_000_000)
  await clock.advance(100)
  expect(await value).toBe('at-2')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1', 'rt-2'])
})

test('an invalid_grant says what to do, and not which refresh token it was', async () => {
  const { endpoint, start } = setUp()
  endpoint.isRevoked = true
  const error = await start()
    .getAccessToken('c')
    .then(undefined, (thrown: unknown) => thrown)
  expect(error).toMatchObject({ error: 'invalid_grant', retryable: false })
  expect(String(error)).toMatch(/get a new one/)
  expect(String(error)).not.toContain('rt-0')
})

/** A store whose client parses JSON by itself, as some Redis clients do. */
function parsing(store: LeasingStore, canLease: boolean) {
  let calls = 0
  const parse = (text: string | undefined) => {
    // A loop without a timer would end the test run too.
    if (text?.includes('credential') && ++calls > 100) throw new Error('it was asked again and again')
    return text === undefined ? undefined : JSON.parse(text)
  }
  const own: TokenStore = {
    get: async (key) => parse(await store.get(key)),
    set: (key, value, ttlMs) => store.set(key, value, ttlMs),
    delete: (key) => store.delete(key),
  }
  const lease: TokenStore['lease'] = async (key, leaseMs, staleValue) => {
    const result = await store.lease(key, leaseMs, staleValue)
    return result?.value === undefined ? result : { value: parse(result.value) }
  }
  return { store: canLease ? { ...own, lease } : own, calls: () => calls }
}

test.each([true, false])(
  'a store that returns no text keeps the first refresh token from being sent again (leases: %s)',
  async (canLease) => {
    const { clock, store, endpoint, start } = shared()
    const given = parsing(store, canLease)
    await accessToken(start({}, given.store))
    await clock.advance(101_000)
    const second = start({}, given.store)
      .getAccessToken('c')
      .then(undefined, (thrown: unknown) => thrown)
    await clock.advance(20_000)
    expect(await second).toMatchObject({ error: 'credential_unavailable' })
    expect(endpoint.sent).toEqual(['rt-0'])
    expect(given.calls()).toBeLessThan(5)
  },
)

test('rubbish in place of the refresh token keeps the first one from being sent again', async () => {
  const { clock, store, endpoint, start } = shared()
  await accessToken(start())
  const key = [...store.values].find(([, { value }]) => value.includes('rt-1'))?.[0] ?? ''
  await store.set(key, 'rubbish', 1_000_000)
  await clock.advance(101_000)
  const error = await start()
    .getAccessToken('c')
    .then(undefined, (thrown: unknown) => thrown)
  expect(error).toMatchObject({ error: 'credential_unavailable' })
  expect(endpoint.sent).toEqual(['rt-0'])
})

test.each([
  ['control characters', 'a\nb'],
  ['no text', 1],
  ['no end', 'a'.repeat(70_000)],
])('a refresh token with %s is an error, and is not kept', async (_name, malformed) => {
  const { clock, store, endpoint, start } = shared()
  endpoint.more = { refresh_token: malformed }
  endpoint.acceptsUsed = true
  const error = await errorAfterRetries(clock, start())
  expect(error).toMatchObject({ error: 'invalid_response' })
  expect(refreshTokenIn(store)).toBeUndefined()
})

const OBJECT_WITHOUT_TEXT = { toString: 1, valueOf: 1 }

test.each([
  ['expires_in', 'soon'],
  ['expires_in', OBJECT_WITHOUT_TEXT],
  ['token_type', 'mac'],
  ['token_type', null],
  ['access_token', 'with a space'],
  ['access_token', null],
  ['scope', 1],
  ['refresh_in', OBJECT_WITHOUT_TEXT],
])('an invalid response (%s: %j) with a new refresh token fails, and the next call uses it', async (name, invalid) => {
  for (const { clock, endpoint, start } of [setUp(), shared()]) {
    endpoint.more = { [name]: invalid }
    const tokens = start()
    expect(await errorAfterRetries(clock, tokens)).toMatchObject({ code: 'token_request_failed' })
    endpoint.more = {}
    await clock.advance(120_000)
    await accessToken(tokens)
    expect(endpoint.isRevoked).toBe(false)
    expect(new Set(endpoint.sent).size).toBe(endpoint.sent.length)
  }
})

test('the new refresh token of an invalid response is in the store, for other processes', async () => {
  const { clock, endpoint, start } = shared()
  endpoint.more = { token_type: 'mac' }
  const error = await errorAfterRetries(clock, start())
  expect(error).toMatchObject({ error: 'invalid_response' })
  expect(String(error)).not.toContain('rt-')
  endpoint.more = {}
  expect(await accessToken(start())).toBe('at-2')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1'])
})

test.each([
  ['is malformed', { refresh_token: 'a\nb', token_type: 'mac' }],
  ['comes with an error', { refresh_token: 'wrong', access_token: undefined, error: 'bad_request' }],
  ['is the one that was sent', { refresh_token: 'rt-0', token_type: 'mac' }],
])('a refresh token of an invalid response that %s is not kept', async (_name, more) => {
  const { clock, store, endpoint, start } = shared()
  endpoint.more = more
  endpoint.acceptsUsed = true
  const error = await errorAfterRetries(clock, start())
  expect(error).toMatchObject({ error: 'invalid_response' })
  expect(refreshTokenIn(store)).toBeUndefined()
  expect(new Set(endpoint.sent)).toEqual(new Set(['rt-0']))
})

test('a lifetime that cannot be read does not lose the refresh token', async () => {
  const { clock, endpoint, start } = shared()
  endpoint.more = { refresh_token_expires_in: OBJECT_WITHOUT_TEXT }
  const tokens = start()
  expect(await accessToken(tokens)).toBe('at-1')
  await clock.advance(101_000)
  expect(await accessToken(tokens)).toBe('at-2')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1'])
})

test.each([1e14, 1e305])('a refresh token that lives for %d s is kept for 100 years at most', async (seconds) => {
  const { clock, store, endpoint, start } = shared()
  endpoint.more = { refresh_token_expires_in: seconds }
  await accessToken(start())
  const [kept] = [...store.values.values()].filter(({ value }) => value.includes('rt-1'))
  expect(kept?.until).toBeLessThanOrEqual(clock.monotonic() + 100 * 365 * 86_400_000)
})

test('a store without leases keeps the refresh token too', async () => {
  const clock = new TestClock()
  const { endpoint, start } = setUp(memoryStore({ maxEntries: 100 }), clock)
  await accessToken(start())
  expect(await accessToken(start(), { forceRenewal: true })).toBe('at-2')
  expect(endpoint.sent).toEqual(['rt-0', 'rt-1'])
})

test.each([
  ['nothing', undefined],
  ['an empty string', ''],
])('%s in place of the refresh token is an error at once', (_name, first) => {
  expect(() => refreshToken({ refreshToken: first as string })).toThrow(/refreshToken must be a string/)
})

test('with a real server: renewals, a 401 and a restart of the process', async () => {
  const provider = await startProvider()
  const { clientId, clientSecret } = provider.client('catalog.client')
  const first = await provider.issueRefreshToken('catalog.client')
  const store = memoryStore<string>({ maxEntries: 100 })
  const start = () =>
    createTokenManager({
      clients: {
        c: { issuer: provider.issuer, clientId, clientSecret, requester: refreshToken({ refreshToken: first }) },
      },
      store,
    })
  const tokens = start()
  const token = await tokens.getAccessToken('c')
  expect(token.type).toBe('Bearer')
  const narrow = await tokens.getAccessToken('c', { scope: 'catalog.read' })
  expect(narrow.scope).toBe('catalog.read')
  await tokens.rejectAccessToken('c', token)
  expect(await accessToken(tokens)).not.toBe(token.value)
  await tokens.close()
  await start().getAccessToken('c', { forceRenewal: true })
  const sent = provider.tokenRequests.map(({ refreshToken: value }) => value)
  expect(provider.tokenRequests.map(({ status }) => status)).toEqual([200, 200, 200, 200])
  expect(new Set(sent).size).toBe(4)
  expect(sent[0]).toBe(first)
})

type Step =
  | { readonly do: 'call'; readonly process: number; readonly scope: string; readonly forced: boolean }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'fail'; readonly ms: number }
  | { readonly do: 'respondInvalid'; readonly ms: number }
  | { readonly do: 'restart'; readonly process: number }

const processNumber = fc.nat({ max: 3 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('call' as const),
    process: processNumber,
    scope: fc.constantFrom('a', 'b'),
    forced: fc.boolean(),
  }),
  fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(1, 40, 900, 60_000, 101_000) }),
  fc.record({ do: fc.constant('fail' as const), ms: fc.integer({ min: 1, max: 1_500 }) }),
  fc.record({ do: fc.constant('respondInvalid' as const), ms: fc.integer({ min: 1, max: 1_500 }) }),
  fc.record({ do: fc.constant('restart' as const), process: processNumber }),
)

test('whatever happens in which order, no refresh token is sent twice and none is lost', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const { clock, store, endpoint, start } = shared()
      endpoint.latencyMs = 30
      const processes = Array.from({ length: 4 }, () => start())
      for (const each of steps) {
        if (each.do === 'call') {
          const { scope, forced: forceRenewal } = each
          void processes[each.process]?.getAccessToken('c', { scope, forceRenewal }).catch(() => {})
        } else if (each.do === 'wait') await clock.advance(each.ms)
        else if (each.do === 'fail') {
          store.broken = down
          await clock.advance(each.ms)
          store.broken = undefined
        } else if (each.do === 'respondInvalid') {
          endpoint.more = { token_type: 'mac' }
          await clock.advance(each.ms)
          endpoint.more = {}
        } else {
          const closed = processes[each.process]?.close()
          await clock.advance(12_000)
          await closed
          processes[each.process] = start()
        }
      }
      await clock.advance(120_000)
      const last = start().getAccessToken('c', { forceRenewal: true })
      await clock.advance(5_000)
      await last
      expect(endpoint.isRevoked).toBe(false)
    }),
    runs(150),
  )
})
