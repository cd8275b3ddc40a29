import { createTokenManager, type TokenResponse } from '@tokenward/core'
import { runs } from '@tokenward/test-support'
import fc from 'fast-check'
import { CompactSign, compactVerify, decodeProtectedHeader, EmbeddedJWK, exportJWK, generateKeyPair } from 'jose'
import { describe, expect, test } from 'vitest'
import { definition } from './support'

const url = new URL('https://api.example/items?page=2#top')
const request = async (): Promise<TokenResponse> => ({ access_token: 'token', token_type: 'DPoP' })

/** The proof of a request with these claims in addition to those of RFC 9449. */
async function proverOf(dpop: object) {
  const tokens = createTokenManager({ clients: { c: { ...definition, dpop } as never }, requester: { request } })
  const token = await tokens.getAccessToken('c')
  return async (proofClaims: Record<string, unknown> = {}) =>
    (await tokens.presentAccessToken('c', token, { method: 'GET', url, proofClaims })).dpop ?? ''
}

const ALGORITHMS = ['ES256', 'ES384', 'ES512', 'Ed25519', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

describe.each(ALGORITHMS)('with %s', (alg) => {
  test.each(['a key pair', 'a JWK'])('jose verifies a proof by %s', async (kind) => {
    const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
    const key = kind === 'a JWK' ? { ...(await exportJWK(privateKey)), alg } : { privateKey, publicKey }
    const proof = await (await proverOf({ key, alg }))()
    const { payload, protectedHeader } = await compactVerify(proof, EmbeddedJWK)
    const { kty, crv, x, y, n, e } = await exportJWK(publicKey)
    const jwk = JSON.parse(JSON.stringify({ kty, crv, x, y, n, e }))
    expect(protectedHeader).toEqual({ typ: 'dpop+jwt', alg, jwk })
    expect(JSON.parse(new TextDecoder().decode(payload))).toMatchObject({
      htm: 'GET',
      htu: 'https://api.example/items',
    })
  })
})

test.each(['Ed25519', 'RS256'])(
  'a proof with %s, whose signatures have no random part, is what jose makes',
  async (alg) => {
    const key = await generateKeyPair(alg)
    const prove = await proverOf({ key, alg })
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), async (claims) => {
        const proof = await prove(claims)
        const payload = Buffer.from(String(proof.split('.')[1]), 'base64url')
        const header = decodeProtectedHeader(proof) as { alg: string }
        expect(await new CompactSign(payload).setProtectedHeader(header).sign(key.privateKey)).toBe(proof)
        expect(JSON.parse(payload.toString())).toMatchObject(
          JSON.parse(JSON.stringify({ ...claims, ...standard(payload) })),
        )
      }),
      runs(50),
    )
  },
)

/** The claims of RFC 9449, which replace others of the same name. */
function standard(payload: Buffer): object {
  const { jti, htm, htu, iat, ath } = JSON.parse(payload.toString())
  return { jti, htm, htu, iat, ath }
}

test.each([
  ['another algorithm', 'ES384', 'ES256'],
  ['an algorithm of another type', 'RS256', 'ES256'],
  ['no algorithm of a signature', 'RSA-OAEP', 'RS256'],
])('a key cannot sign by %s', async (_what, alg, ofKey) => {
  const key = await generateKeyPair(ofKey)
  await expect(proverOf({ key, alg })).rejects.toMatchObject({ code: 'invalid_configuration' })
})
