import { createHash } from 'node:crypto'
import { createTokenManager, type TokenResponse } from '@tokenward/core'
import { expect, onTestFinished, test, vi } from 'vitest'
import { definition } from './support'

test('a proof takes one signature, and nothing else of the cryptography of the platform', async () => {
  const key = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  let issued = 0
  const request = async (): Promise<TokenResponse> => ({ access_token: `t${++issued}`, token_type: 'DPoP' })
  const tokens = createTokenManager({ clients: { c: { ...definition, dpop: { key } } }, requester: { request } })
  const token = await tokens.getAccessToken('c')
  const prove = () => tokens.presentAccessToken('c', token, { method: 'GET', url: new URL('https://api.example/') })
  await prove()

  const operations = ['sign', 'digest', 'exportKey', 'importKey', 'verify'] as const
  const spies = operations.map((operation) => vi.spyOn(crypto.subtle, operation))
  onTestFinished(() => {
    for (const spy of spies) spy.mockRestore()
  })
  for (let proof = 0; proof < 20; proof++) await prove()
  expect(Object.fromEntries(spies.map((spy, index) => [operations[index], spy.mock.calls.length]))).toEqual({
    sign: 20,
    digest: 0,
    exportKey: 0,
    importKey: 0,
    verify: 0,
  })
})

test('the proofs of two tokens in turn have the hashes of their own tokens, each computed once', async () => {
  let issued = 0
  const request = async (): Promise<TokenResponse> => ({ access_token: `t${++issued}`, token_type: 'DPoP' })
  const tokens = createTokenManager({ clients: { c: { ...definition, dpop: true } }, requester: { request } })
  const [a, b] = [await tokens.getAccessToken('c'), await tokens.getAccessToken('c', { scope: 'b' })]
  const hashIn = async (token: typeof a) => {
    const { dpop = '' } = await tokens.presentAccessToken('c', token, {
      method: 'GET',
      url: new URL('https://api.example/'),
    })
    return JSON.parse(Buffer.from(String(dpop.split('.')[1]), 'base64url').toString()).ath
  }
  const digest = vi.spyOn(crypto.subtle, 'digest')
  onTestFinished(() => digest.mockRestore())
  const hashes: string[] = []
  for (const token of [a, b, a, b]) hashes.push(await hashIn(token))
  expect(digest).toHaveBeenCalledTimes(2)
  const sha256 = ({ value }: typeof a) => createHash('sha256').update(value).digest('base64url')
  expect(hashes).toEqual([a, b, a, b].map(sha256))
})
