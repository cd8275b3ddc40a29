import { createTokenManager } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { AbstractTokenProvider, DPoPUtils, OAuthFetch } from 'oauth-fetch'
import type { Library, OpenOptions } from '../libraries/library'
import { callLoop } from './call-loop'
import { type Cost, measure, settle } from './measure'
import { numberOf } from './numbers'
import type { Session } from './session'

/** What is measured of each library: making the headers, and a call whose request is not sent. */
interface ProofMaker {
  readonly proof: () => Promise<unknown>
  readonly call: () => Promise<unknown>
}

const URL_OF_API = 'https://api.example/catalog/'
const ES256 = { name: 'ECDSA', namedCurve: 'P-256' }
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' }

/** A transport that sends nothing. What is measured is everything before and after it. */
const noTransport: typeof fetch = async () => Response.json({ ok: true })

/** Measures DPoP proofs, and the bare signature that each of them contains. */
export async function dpopSession(library: Library, options: OpenOptions): Promise<Session> {
  const maker = await (library.id === 'oauth-fetch' ? byOauthFetch() : byTokenward(options))
  const { privateKey } = await crypto.subtle.generateKey(ES256, false, ['sign', 'verify'])
  // As long as what a proof signs.
  const data = new TextEncoder().encode('x'.repeat(450))
  const kinds: Record<string, () => Promise<unknown>> = {
    bare: () => crypto.subtle.sign(SIGNATURE, privateKey, data),
    proof: maker.proof,
    call: maker.call,
  }
  const loops = Object.entries(kinds).map(([kind, call]) => ({ kind, call, loop: callLoop() }))
  return {
    async step(parameters) {
      const calls = numberOf(parameters, 'calls')
      const round = numberOf(parameters, 'round')
      const costs: Record<string, Cost> = {}
      for (let index = 0; index < loops.length; index++) {
        // Another one is the first in each round.
        const { kind, call, loop } = loops[(index + round) % loops.length] as (typeof loops)[number]
        await settle()
        costs[kind] = await measure(calls, () => loop(call, calls))
      }
      return Object.fromEntries(
        Object.entries(costs).flatMap(([kind, { ns, cpuNs }]) => [
          [`${kind}Ns`, ns],
          [`${kind}CpuNs`, cpuNs],
        ]),
      )
    },
  }
}

async function byTokenward({ issuer, clientId, clientSecret }: OpenOptions): Promise<ProofMaker> {
  const key = await crypto.subtle.generateKey(ES256, false, ['sign', 'verify'])
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: `${issuer}/token`, clientId, clientSecret, scope: 'catalog', dpop: { key } } },
  })
  const token = await tokens.getAccessToken('c')
  if (token.type !== 'DPoP') throw new Error('the token is not bound to the key')
  const authorized = createFetch(tokens, 'c', { baseURL: URL_OF_API, fetch: noTransport })
  const url = new URL('test', URL_OF_API)
  return {
    proof: () => tokens.presentAccessToken('c', token, { method: 'GET', url }),
    call: async () => (await authorized('test')).json(),
  }
}

async function byOauthFetch(): Promise<ProofMaker> {
  const dpopKeyPair = await DPoPUtils.generateKeyPair()
  const accessToken = 'x'.repeat(500)
  const tokenProvider = new (class extends AbstractTokenProvider {
    override getToken = async () => ({ access_token: accessToken, token_type: 'DPoP' as const })
  })()
  const client = new OAuthFetch({ baseUrl: URL_OF_API, tokenProvider, dpopKeyPair, customFetch: noTransport })
  const url = new URL('test', URL_OF_API)
  return {
    proof: () => DPoPUtils.generateProof({ url, method: 'GET', dpopKeyPair, accessToken }),
    call: () => client.get('test'),
  }
}
