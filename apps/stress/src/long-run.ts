import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Clock, createTokenManager, TokenRequestError, type TokenStore } from '@tokenward/core'
import { createFetch } from '@tokenward/fetch'
import { startUnreliableServer } from './unreliable-server'

export interface LongRunOptions {
  readonly calls: number
  /** Over how many tokens the calls are spread. */
  readonly keys: number
  readonly checkpoints: number
}

/** What is in use when all calls so far have ended. */
export interface Checkpoint {
  readonly calls: number
  readonly tokens: number
  readonly failed: number
  readonly heapMiB: number
  /** On the signal that all calls share, and on the one that all HTTP requests share. */
  readonly listeners: number
  readonly fetchListeners: number
  /** Of the manager, and of the process. */
  readonly timers: number
  readonly processTimers: number
  readonly sockets: number
  readonly storeEntries: number
}

export interface LongRun {
  readonly checkpoints: Checkpoint[]
  /** What was more at the end than it may be. */
  readonly grown: string[]
  /** Errors that no caller should get, and tokens that reached the wrong caller. */
  readonly unexpected: string[]
}

const BATCH = 1_000
/** Most calls are for a few tokens, as in a real worker. */
const HOT_SHARE = 0.97
const HOT_KEYS = 2_000
const KEPT = 5_000
/** Every so many batches, calls go by HTTP to an API and a token endpoint that fail at times. */
const HTTP_EVERY = 20
const HTTP_CALLS = 50
/** The pool of the platform's `fetch` may keep as many connections as there were calls at once. */
const MOST_SOCKETS = 4 * HTTP_CALLS

/**
 * Makes many calls for many tokens: with faults, aborts, rejections, deletions and a store that fails. The token endpoint of
 * most calls is a stand-in, because a real one would take hours.
 */
export async function endure(
  options: LongRunOptions,
  note: (checkpoint: Checkpoint) => void = () => {},
): Promise<LongRun> {
  const { calls, keys } = options
  const random = seededRandom(1)
  const clock = countingClock()
  const store = failingStore(random)
  const server = await startUnreliableServer(random)
  const shared = new AbortController()
  // Not the same: the platform's `fetch` removes its own listeners when its objects are collected as garbage.
  const sharedByFetch = new AbortController()
  const run: LongRun = { checkpoints: [], grown: [], unexpected: [] }
  let isFaulty = false
  let tokensCount = 0
  let failed = 0
  const tokens = createTokenManager({
    clients: {
      tenants: {
        tokenEndpoint: 'https://as.example/token',
        clientId: 'id',
        clientSecret: 'secret',
        timeoutMs: 200,
        requester: {
          async request(_client, { parameters, signal }) {
            tokensCount++
            const fault = isFaulty ? random() : 1
            if (fault < 0.02) throw new TypeError('fetch failed')
            if (fault < 0.03)
              throw new TokenRequestError({ client: 'tenants', error: 'invalid_scope', retryable: false })
            if (fault < 0.031) await new Promise((_resolve, reject) => signal.addEventListener('abort', reject))
            const access_token = `${parameters.tenant}.${'x'.repeat(500)}`
            return { access_token, token_type: 'Bearer', expires_in: random() < 0.1 ? 1 : 600 }
          },
        },
      },
      http: { tokenEndpoint: `${server.origin}/token`, clientId: 'id', clientSecret: 'secret', timeoutMs: 1_000 },
    },
    maxEntries: KEPT,
    store: store.store,
    storeTimeoutMs: 50,
    localLifetimeMs: 1_000,
    clock: clock.clock,
  })
  const api = createFetch(tokens, 'http', { baseURL: server.origin })

  async function call(): Promise<void> {
    const tenant = `tenant-${Math.floor(random() * (random() < HOT_SHARE ? Math.min(HOT_KEYS, keys) : keys))}`
    const chance = random()
    const own = chance < 0.005 ? new AbortController() : undefined
    const parameters = { tenant }
    try {
      const signal = own?.signal ?? shared.signal
      const pending = tokens.getAccessToken('tenants', { parameters, signal, forceRenewal: chance > 0.999 })
      own?.abort()
      const token = await pending
      if (!token.value.startsWith(`${tenant}.`)) run.unexpected.push(`the token of another tenant for ${tenant}`)
      if (chance > 0.5 && chance < 0.502) await tokens.rejectAccessToken('tenants', token, { parameters })
      if (chance > 0.6 && chance < 0.601) await tokens.deleteAccessToken('tenants', { parameters })
    } catch (error) {
      failed++
      if (!(error instanceof TokenRequestError) && own?.signal.reason !== error) run.unexpected.push(String(error))
    }
  }

  async function callApi(): Promise<void> {
    try {
      const response = await api('items', { signal: sharedByFetch.signal })
      await response.arrayBuffer()
    } catch (error) {
      failed++
      const isFault = error instanceof TokenRequestError || error instanceof TypeError
      if (!isFault) run.unexpected.push(String(error))
    }
  }

  async function checkpoint(made: number): Promise<Checkpoint> {
    isFaulty = false
    // What goes on without a caller ends within its time limits: renewals, writes, dropped responses.
    for (let turn = 0; turn < 300 && clock.pending() > 0; turn++) await sleep(20)
    await collectGarbage(() => getEventListeners(sharedByFetch.signal, 'abort').length === 0)
    const resources = process.getActiveResourcesInfo()
    const reached = {
      calls: made,
      tokens: tokensCount,
      failed,
      heapMiB: process.memoryUsage().heapUsed / 2 ** 20,
      listeners: getEventListeners(shared.signal, 'abort').length,
      fetchListeners: getEventListeners(sharedByFetch.signal, 'abort').length,
      timers: clock.pending(),
      processTimers: resources.filter((name) => name === 'Timeout').length,
      sockets: resources.filter((name) => name === 'TCPSocketWrap').length,
      storeEntries: store.size(),
    }
    run.checkpoints.push(reached)
    note(reached)
    return reached
  }

  const batches = Math.ceil(calls / BATCH)
  const perCheckpoint = Math.ceil(batches / options.checkpoints)
  for (let batch = 1; batch <= batches; batch++) {
    // One minute in five, so to speak.
    isFaulty = batch % 10 > 7
    store.fails = isFaulty
    server.fails = isFaulty
    await Promise.all(Array.from({ length: Math.min(BATCH, calls) }, call))
    if (batch % HTTP_EVERY === 0) await Promise.all(Array.from({ length: HTTP_CALLS }, callApi))
    if (batch % 500 === 0) await tokens.clear('tenants')
    if (batch % perCheckpoint === 0 || batch === batches) await checkpoint(batch * BATCH)
  }
  for (const { listeners, timers, sockets, storeEntries } of run.checkpoints) {
    if (listeners > 0) run.grown.push(`${listeners} listeners`)
    if (timers > 0) run.grown.push(`${timers} timers`)
    if (sockets > MOST_SOCKETS) run.grown.push(`${sockets} sockets`)
    if (storeEntries > KEPT) run.grown.push(`${storeEntries} store entries`)
  }
  const [first, last] = [run.checkpoints[0], run.checkpoints.at(-1)]
  if (Number(last?.processTimers) > Number(first?.processTimers) + 5) run.grown.push('timers of the process')
  await tokens.close()
  await server.close()
  return run
}

/**
 * Collects garbage until the condition holds, and at least once. Node runs finalizers in a later turn of the event loop, so one collection
 * is not enough for what they remove. Does nothing without `node --expose-gc`.
 */
async function collectGarbage(isDone: () => boolean): Promise<void> {
  for (let turn = 0; globalThis.gc && turn < 50 && (turn === 0 || !isDone()); turn++) {
    globalThis.gc()
    await sleep(10)
  }
}

/** The platform's time, and how many of its timers are pending. */
function countingClock(): { readonly clock: Clock; pending(): number } {
  const timers = new Set<object>()
  const clock: Clock = {
    now: () => Date.now(),
    monotonic: () => performance.now(),
    setTimeout(callback, delayMs) {
      const timer = {}
      timers.add(timer)
      const handle = setTimeout(() => {
        timers.delete(timer)
        callback()
      }, delayMs)
      return () => {
        timers.delete(timer)
        clearTimeout(handle)
      }
    },
  }
  return { clock, pending: () => timers.size }
}

/** A store in memory. While it fails, one call in 100 throws, and one in 1,000 never ends. It drops its oldest entries. */
function failingStore(random: () => number) {
  const entries = new Map<string, string>()
  const state = {
    fails: false,
    size: () => entries.size,
    store: {
      get: async (key) => {
        await fault()
        return entries.get(key)
      },
      set: async (key, value) => {
        await fault()
        entries.delete(key)
        entries.set(key, value)
        for (const oldest of entries.keys()) {
          if (entries.size <= KEPT) break
          entries.delete(oldest)
        }
      },
      delete: async (key) => void entries.delete(key),
    } satisfies TokenStore,
  }
  async function fault(): Promise<void> {
    const chance = state.fails ? random() : 1
    if (chance < 0.001) await new Promise(() => {})
    if (chance < 0.01) throw new Error('the store fails')
  }
  return state
}

/** The same numbers from 0 to 1 in each run (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
