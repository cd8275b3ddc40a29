import { createHook } from 'node:async_hooks'
import { createTokenManager } from '@tokenward/core'

const CALLS = 200

/** What is costly to create, and can be counted: a count does not depend on the machine. */
export interface Cost {
  readonly promises: number
  readonly urls: number
  readonly headers: number
  readonly abortControllers: number
}

/** A manager that holds a token of an hour. Its requester is a mock: what a token request costs is not the subject. */
export async function warmTokens() {
  const tokens = createTokenManager({
    clients: { c: { tokenEndpoint: 'https://as.example/token', clientId: 'a', clientSecret: 'b' } },
    requester: { request: async () => ({ access_token: 't', token_type: 'Bearer', expires_in: 3_600 }) },
  })
  await tokens.getAccessToken('c')
  await tokens.getAccessToken('c')
  return tokens
}

/** What each of many calls creates until it returns. */
export function costOf(call: () => unknown): Cost {
  const counter = startCounting()
  try {
    for (let count = 0; count < CALLS; count++) call()
  } finally {
    counter.stop()
  }
  return counter.perCall()
}

/** What each of many calls creates until its promise is settled. */
export async function awaitedCostOf(call: () => Promise<unknown>): Promise<Cost> {
  // What is created once is not counted.
  await call()
  const counter = startCounting()
  try {
    for (let count = 0; count < CALLS; count++) await call()
  } finally {
    counter.stop()
  }
  return counter.perCall()
}

/** What a call with a token creates in addition to the same call by an HTTP client alone. */
export async function addedCost(call: () => Promise<unknown>, alone: () => Promise<unknown>): Promise<Cost> {
  const [own, base] = [await awaitedCostOf(call), await awaitedCostOf(alone)]
  return {
    promises: own.promises - base.promises,
    urls: own.urls - base.urls,
    headers: own.headers - base.headers,
    abortControllers: own.abortControllers - base.abortControllers,
  }
}

/** Replaces the platform's classes by ones that count. */
function startCounting() {
  const counts = { promises: 0, urls: 0, headers: 0, abortControllers: 0 }
  const hook = createHook({
    init(_id, type) {
      if (type === 'PROMISE') counts.promises++
    },
  })
  const counted = <Class extends new (...args: never[]) => object>(platform: Class, name: keyof typeof counts) =>
    new Proxy(platform, {
      construct(target, args, newTarget) {
        counts[name]++
        return Reflect.construct(target, args, newTarget)
      },
    })
  const before = { URL, Headers, AbortController }
  Object.assign(globalThis, {
    URL: counted(URL, 'urls'),
    Headers: counted(Headers, 'headers'),
    AbortController: counted(AbortController, 'abortControllers'),
  })
  hook.enable()
  return {
    stop() {
      hook.disable()
      Object.assign(globalThis, before)
    },
    perCall(): Cost {
      const { promises, urls, headers, abortControllers } = counts
      // What the end of the counting itself creates is less than one per call.
      const each = (count: number) => Math.floor(count / CALLS)
      return {
        promises: each(promises),
        urls: each(urls),
        headers: each(headers),
        abortControllers: each(abortControllers),
      }
    },
  }
}
