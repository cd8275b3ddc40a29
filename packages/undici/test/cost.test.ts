import { costOf, warmTokens } from '@tokenward/test-support'
import { tokenInterceptor } from '@tokenward/undici'
import type { Dispatcher } from 'undici'
import { expect, test } from 'vitest'

const CONTROLLER = {} as Dispatcher.DispatchController

test('a request with a cached token creates no URL, promise, Headers or AbortController', async () => {
  const tokens = await warmTokens()
  let sent: unknown
  // It stands in for undici, because what the network costs is not the subject.
  const dispatch = ({ headers }: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) => {
    sent = headers
    handler.onRequestStart?.(CONTROLLER, {})
    handler.onResponseStart?.(CONTROLLER, 200, {}, 'OK')
    handler.onResponseEnd?.(CONTROLLER, {})
    return true
  }
  const authorized = tokenInterceptor(tokens, 'c', { baseURL: 'https://api.example/v1' })(dispatch)
  let ended = 0
  const handler: Dispatcher.DispatchHandler = { onResponseEnd: () => void ended++ }
  const options: Dispatcher.DispatchOptions = {
    origin: 'https://api.example',
    path: '/v1/items',
    method: 'GET',
    headers: { accept: 'application/json' },
  }
  expect(costOf(() => authorized(options, handler))).toEqual({ promises: 0, urls: 0, headers: 0, abortControllers: 0 })
  expect(sent).toEqual({ accept: 'application/json', authorization: 'Bearer t' })
  expect(ended).toBeGreaterThan(0)
})
