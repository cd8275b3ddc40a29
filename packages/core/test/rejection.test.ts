import { expect, test } from 'vitest'
import { scripted } from './support'

test('after a token was rejected, the next call gets a new one', async () => {
  const { tokens, endpoint } = scripted()
  const token = await tokens.getAccessToken('catalog.client')
  expect(await tokens.rejectAccessToken('catalog.client', token)).toBe(true)
  expect((await tokens.getAccessToken('catalog.client')).value).toBe('token-2')
  expect(endpoint.requests).toHaveLength(2)
})

test('rejecting a token that was already replaced makes no new request', async () => {
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

test('100 rejections of one token make one request', async () => {
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

test('new tokens that are rejected are replaced after a cooldown of 1 s that doubles up to 30 s', async () => {
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

test('during the cooldown a rejection makes no token request', async () => {
  const { tokens, endpoint } = scripted()
  for (let call = 0; call < 100; call++) {
    const token = await tokens.getAccessToken('catalog.client')
    await tokens.rejectAccessToken('catalog.client', token)
  }
  expect(endpoint.requests).toHaveLength(2)
})

test('after a minute without rejections the cooldown starts again at 1 s', async () => {
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

test('a rejection affects only the token for the same parameters', async () => {
  const { tokens, endpoint } = scripted()
  const narrow = await tokens.getAccessToken('catalog.client', { scope: 'narrow' })
  const usual = await tokens.getAccessToken('catalog.client')
  await tokens.rejectAccessToken('catalog.client', narrow, { scope: 'narrow' })
  expect((await tokens.getAccessToken('catalog.client')).value).toBe(usual.value)
  expect((await tokens.getAccessToken('catalog.client', { scope: 'narrow' })).value).toBe('token-3')
  expect(endpoint.requests).toHaveLength(3)
})

test('a server that issues the rejected token again gets one request, not one per caller', async () => {
  const { tokens, endpoint } = scripted()
  endpoint.respondAlways({ access_token: 'always-the-same' })
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
