import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Library } from '../libraries/library'
import { keepersById } from '../libraries/token-keeper'
import { callLoop } from './call-loop'
import { measure, settle } from './measure'
import { numberOf } from './numbers'
import type { Session } from './session'

/** As long as the token of a real authorization server, in characters. */
const TOKEN_LENGTH = 1_000
/** What V8 adds to the characters of a string, in bytes. */
const STRING_HEADER_BYTES = 16
/** A slow library warms up with fewer keys. */
const WARM_UP_LIMIT_MS = 3_000
/** A library that needs longer than this for one number of keys gets no result for it. */
const TIME_LIMIT_MS = 25_000

/** Measures the heap that kept tokens take beside the tokens themselves, and how long it takes to get one of them. */
export function memorySession(library: Library): Session {
  const keep = keepersById.get(library.id)
  if (!keep) throw new Error(`it is not known how ${library.id} keeps many tokens`)
  return {
    async step(parameters) {
      const keys = numberOf(parameters, 'keys')
      const calls = numberOf(parameters, 'calls')
      const leastTokens = numberOf(parameters, 'leastTokens')
      // What a library needs once is there before the heap is measured: modules, and code that was compiled because it runs often.
      const warmUp = keep(leastTokens, newToken)
      const warmUntil = performance.now() + WARM_UP_LIMIT_MS
      for (let use = 0; use < 2; use++) {
        for (let key = 0; key < leastTokens && performance.now() < warmUntil; key++) await warmUp.get(key)
      }
      // The heap always changes by some kilobytes: few keys are kept by several keepers, so that these do not count.
      const create = () => keep(keys + 1, newToken)
      const keeper = create()
      const keepers = [keeper, ...Array.from({ length: Math.ceil(leastTokens / keys) - 1 }, create)]
      for (const { get } of keepers) await get(keys)
      const before = await heapUsed()
      const deadline = performance.now() + TIME_LIMIT_MS
      for (const { get } of keepers) {
        // A token that was used again may need more memory than one that was only requested.
        for (let call = 0; call < 2 * keys; call++) {
          await get(call % keys)
          if (performance.now() > deadline) return {}
        }
      }
      const perToken = ((await heapUsed()) - before) / (keys * keepers.length)
      const bytes = perToken - TOKEN_LENGTH - STRING_HEADER_BYTES
      const loop = callLoop()
      let next = 0
      const call = () => keeper.get(next++ % keys)
      // The first calls are made before the code is compiled.
      await loop(call, Math.min(calls, 2_000))
      if (performance.now() > deadline) return { bytes }
      await settle()
      const { ns } = await measure(calls, () => loop(call, calls))
      return { bytes, ns }
    },
  }
}

function newToken(): string {
  return randomBytes((TOKEN_LENGTH * 3) / 4).toString('base64url')
}

async function heapUsed(): Promise<number> {
  // What finalizers and microtasks still hold is freed in later runs.
  for (let run = 0; run < 3; run++) await settle()
  await sleep(20)
  await settle()
  return process.memoryUsage().heapUsed
}
