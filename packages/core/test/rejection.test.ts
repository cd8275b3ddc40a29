import { expect, test } from 'vitest'
import { scripted } from './support'

test('a rejected token is replaced: the next call gets another one', async () => {
  const { tokens, endpoint } = scripted()
  const token = await tokens.getAccessToken('catalog.client')
  expect(await tokens.rejectAccessToken('catalog.client', token)).toBe(true)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('a token that somebody has replaced already is not replaced again', async () => {
  const { tokens, endpoint, clock } = scripted()
  const old = await tokens.getAccessToken('catalog.client')
  await tokens.getAccessToken('catalog.client', { forceRenewal: true })
  for (let caller = 0; caller < 10; caller++) {
    expect(await tokens.rejectAccessToken('catalog.client', old)).toBe(true)
    expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
    await clock.advance(100)
  }
  expect(endpoint.requests).toHaveLength(2)
})

test('a storm of rejections of one token makes one request', async () => {
  const { tokens, endpoint, clock } = scripted()
  const token = await tokens.getAccessToken('catalog.client')
  endpoint.latencyMs = 100
  const callers: Promise<string>[] = []
  for (let caller = 0; caller < 100; caller++) {
    callers.push(
      tokens.rejectAccessToken('catalog.client', token).then(async () => {
        return (await tokens.getAccessToken('catalog.client')).value
      }),
    )
    await clock.advance(2)
  }
  expect(new Set(await Promise.all(callers))).toEqual(new Set(['token-2']))
  expect(endpoint.requests).toHaveLength(2)
})

test('brand-new tokens that are rejected are replaced after pauses of 1 s, doubling to 30 s', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.expiresIn = 3_600
  const renewedAt: number[] = []
  for (let ms = 0; ms <= 200_000; ms += 500) {
    const token = await tokens.getAccessToken('catalog.client')
    if (await tokens.rejectAccessToken('catalog.client', token)) renewedAt.push(clock.monotonic())
    await clock.advance(500)
  }
  expect(renewedAt).toEqual([0, 1, 3, 7, 15, 31, 61, 91, 121, 151, 181].map((s) => s * 1_000))
  expect(endpoint.requests.length).toBe(1 + renewedAt.length)
})

test('during the pause the token stays: callers get their 401 at once, and no token request is made', async () => {
  const { tokens, endpoint } = scripted()
  for (let call = 0; call < 100; call++) {
    const token = await tokens.getAccessToken('catalog.client')
    await tokens.rejectAccessToken('catalog.client', token)
  }
  expect(endpoint.requests).toHaveLength(2)
})

test('a key whose tokens were not rejected for a minute starts afresh', async () => {
  const { tokens, endpoint, clock } = scripted()
  endpoint.expiresIn = 3_600
  const reject = async () => tokens.rejectAccessToken('catalog.client', await tokens.getAccessToken('catalog.client'))
  for (let round = 0; round < 5; round++) {
    await reject()
    await clock.advance(30_000)
  }
  await clock.advance(61_000)
  expect(await reject()).toBe(true)
  await clock.advance(1_000)
  expect(await reject()).toBe(true)
})

test('a rejection concerns the token of its parameters only', async () => {
  const { tokens, endpoint } = scripted()
  const narrow = await tokens.getAccessToken('catalog.client', { scope: 'narrow' })
  const usual = await tokens.getAccessToken('catalog.client')
  await tokens.rejectAccessToken('catalog.client', narrow, { scope: 'narrow' })
  expect((await tokens.getAccessToken('catalog.client')).value).toBe(usual.value)
  expect((await tokens.getAccessToken('catalog.client', { scope: 'narrow' })).value).toBe('token-3')
  expect(endpoint.requests).toHaveLength(3)
})

test('a server that gives the rejected token again is asked once, not once per caller', async () => {
  const { tokens, endpoint } = scripted()
  endpoint.answerAlways({ access_token: 'always-the-same' })
  const token = await tokens.getAccessToken('catalog.client')
  const replaced = await Promise.all(
    Array.from({ length: 50 }, async () => {
      await tokens.rejectAccessToken('catalog.client', token)
      return tokens.getAccessToken('catalog.client')
    }),
  )
  expect(new Set(replaced.map(({ value }) => value))).toEqual(new Set(['always-the-same']))
  expect(endpoint.requests).toHaveLength(2)
})
