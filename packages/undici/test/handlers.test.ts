import type { Dispatcher } from 'undici'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { authorizedAgent, catalogSetup, serve, VERSIONS } from './support'

describe.each(VERSIONS)('undici %s', (_version, undici) => {
  /** Dispatches a request whose handler throws in `where`; the error that the handler gets. */
  async function dispatchThrowing(
    dispatcher: Dispatcher,
    origin: string,
    where: keyof Dispatcher.DispatchHandler,
    method: 'GET' | 'HEAD' = 'GET',
  ): Promise<unknown> {
    const rejections: unknown[] = []
    const note = (reason: unknown) => void rejections.push(reason)
    process.on('unhandledRejection', note)
    onTestFinished(() => void process.off('unhandledRejection', note))
    const failure = await new Promise((resolve) => {
      const handler: Dispatcher.DispatchHandler = {
        onRequestStart() {},
        onResponseStart() {},
        onResponseData() {},
        onResponseEnd: () => resolve('ended'),
        onResponseError: (_controller, error) => resolve(error),
      }
      const original = handler[where] as ((...args: unknown[]) => void) | undefined
      Object.assign(handler, {
        [where](...args: unknown[]) {
          if (where === 'onResponseError') original?.(...args)
          throw new Error(`thrown in ${where}`)
        },
      })
      dispatcher.dispatch({ origin, path: '/catalog/test', method }, handler)
    })
    // An unhandled rejection is reported one turn later.
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(rejections).toEqual([])
    return failure
  }

  test.each(['onRequestStart', 'onResponseStart', 'onResponseData', 'onResponseEnd'] as const)(
    'a handler that throws in %s fails its request, after a 401 and after a 200',
    async (where) => {
      const { dispatcher, api } = await catalogSetup(undici)
      for (const status of [401, 200]) {
        api.faults.fail(status === 401 ? 2 : 0, { status, body: { error: 'no' } })
        expect(await dispatchThrowing(dispatcher, api.origin, where)).toMatchObject({ message: `thrown in ${where}` })
      }
      // The dispatcher still works. The token may have been rejected too often to be replaced at once.
      expect([200, 401]).toContain((await undici.request(`${api.baseURL}test`, { dispatcher })).statusCode)
    },
  )

  test.each(['onResponseStart', 'onResponseEnd'] as const)(
    'a handler that throws in %s of a HEAD that gets a 401 fails its request',
    async (where) => {
      const { dispatcher, api } = await catalogSetup(undici)
      api.faults.fail(2, { status: 401 })
      const failure = await dispatchThrowing(dispatcher, api.origin, where, 'HEAD')
      expect(failure).toMatchObject({ message: `thrown in ${where}` })
    },
  )

  test('a handler that throws in onResponseError ends nothing but its request', async () => {
    const { dispatcher, provider, api } = await catalogSetup(undici)
    provider.tokenEndpointFaults.fail(1, { status: 400, body: { error: 'invalid_scope' } })
    const failure = await dispatchThrowing(dispatcher, api.origin, 'onResponseError')
    expect(failure).toMatchObject({ code: 'token_request_failed' })
    const refused = await dispatchThrowing(dispatcher, 'https://other.example', 'onResponseError')
    expect(refused).toMatchObject({ code: 'origin_not_allowed' })
  })

  test('a HEAD that gets a 401 is sent once more, or its response passed on', async () => {
    const { call, api } = await catalogSetup(undici)
    api.faults.fail(1, { status: 401 })
    expect((await call('test', { method: 'HEAD' })).statusCode).toBe(200)
    api.faults.fail(2, { status: 401 })
    expect((await call('test', { method: 'HEAD' })).statusCode).toBe(401)
  })

  test('a 401 without a body, and one that ends at once, are passed on whole', async () => {
    const { call, api } = await catalogSetup(undici)
    api.faults.fail(4, { status: 401, headers: { 'content-length': '0' } })
    for (let number = 0; number < 2; number++) {
      const { statusCode, body } = await call('test')
      expect([statusCode, await body.text()]).toEqual([401, ''])
    }
  })

  test('a 401 that breaks while a new token is requested is retried, or is the error of the request', async () => {
    const { tokens, provider } = await catalogSetup(undici)
    let requests = 0
    const origin = await serve((request, response) => {
      requests++
      if (requests > 1) return void response.end('ok')
      response.writeHead(401, { 'content-length': '10' }).write('x')
      setTimeout(() => request.socket.destroy(), 20)
    })
    const dispatcher = authorizedAgent(undici, tokens, 'catalog.client', { baseURL: origin })
    await tokens.getAccessToken('catalog.client')
    provider.tokenEndpointFaults.delayMs = 100
    const { statusCode, body } = await undici.request(origin, { dispatcher })
    expect([statusCode, await body.text()]).toEqual([200, 'ok'])
    expect(requests).toBe(2)
  })

  test.each([
    ['drips', 20],
    ['never ends', undefined],
  ])('a 401 whose body %s: the retry is sent at once, and the connection ends soon', async (_how, everyMs) => {
    const { tokens } = await catalogSetup(undici)
    let requests = 0
    let isClosed = false
    const origin = await serve((_request, response) => {
      requests++
      if (requests > 1) return void response.end('ok')
      response.writeHead(401).write('x')
      const timer = everyMs === undefined ? undefined : setInterval(() => response.write('x'), everyMs)
      response.once('close', () => {
        clearInterval(timer)
        isClosed = true
      })
    })
    const dispatcher = authorizedAgent(undici, tokens, 'catalog.client', { baseURL: origin })
    // The time after which a slow body is cut off does not pass before the second request has its response.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const { statusCode, body } = await undici.request(origin, { dispatcher })
    expect([statusCode, await body.text()]).toEqual([200, 'ok'])
    expect(isClosed).toBe(false)
    vi.advanceTimersByTime(1_000)
    await expect.poll(() => isClosed).toBe(true)
  })

  test('a 401 with a body without end is cut off after 64 KiB', async () => {
    const { tokens } = await catalogSetup(undici)
    let requests = 0
    let written = 0
    let closed = false
    const origin = await serve((_request, response) => {
      requests++
      if (requests > 1) return void response.end('ok')
      response.writeHead(401)
      response.once('close', () => {
        closed = true
      })
      const chunk = Buffer.alloc(16 * 1024)
      const more = () => {
        while (!response.destroyed && response.write(chunk)) written += chunk.length
      }
      response.on('drain', more)
      more()
    })
    const dispatcher = authorizedAgent(undici, tokens, 'catalog.client', { baseURL: origin })
    expect((await undici.request(origin, { dispatcher })).statusCode).toBe(200)
    await expect.poll(() => closed).toBe(true)
    // What the sockets of both sides buffer comes on top.
    expect(written).toBeLessThan(16 * 1024 * 1024)
  })

  test('an abort while a 401 is decided on rejects at once, and nothing is sent again', async () => {
    const { call, api, provider } = await catalogSetup(undici)
    await (await call('test')).body.dump()
    provider.revokeIssued()
    provider.tokenEndpointFaults.fail(1, 'hang')
    const controller = new AbortController()
    const waiting = expect(call('test', { signal: controller.signal })).rejects.toThrow('given up')
    await expect.poll(() => provider.tokenRequests.length).toBe(2)
    controller.abort(new Error('given up'))
    await waiting
    expect(api.requests).toHaveLength(2)
  })

  test('a second revocation soon after the first is retried too: accepted tokens are reported', async () => {
    const { call, provider } = await catalogSetup(undici)
    for (let number = 0; number < 3; number++) {
      expect((await call('test')).statusCode).toBe(200)
      provider.revokeIssued()
    }
    expect((await call('test')).statusCode).toBe(200)
    expect(provider.tokenRequests).toHaveLength(4)
  })
})
