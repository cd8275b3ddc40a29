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
const TIME_LIMIT_MS = 12_000

/** Measures the heap that kept tokens take beside the tokens themselves, and how long it takes to get one of them. */
export function memorySession(library: Library): Session {
  const keep = keepersById.get(library.id)
  if (!keep) throw new Error(`it is not known how ${library.id} keeps many tokens`)
  return {
    async step(parameters) {
      const keys = numberOf(parameters, 'keys')
      const calls = numberOf(parameters, 'calls')
      const warmUpKeys = numberOf(parameters, 'warmUpKeys')
      // What a library needs once is there before the heap is measured: modules, and code that was compiled because it runs often.
      const warmUp = keep(warmUpKeys, newToken)
      const warmUntil = performance.now() + WARM_UP_LIMIT_MS
      for (let use = 0; use < 2; use++) {
        for (let key = 0; key < warmUpKeys && performance.now() < warmUntil; key++) await warmUp.get(key)
      }
      const keeper = keep(keys + 1, newToken)
      await keeper.get(keys)
      const before = await heapUsed()
      const deadline = performance.now() + TIME_LIMIT_MS
      // A token that was used again may need more memory than one that was only requested.
      for (let call = 0; call < 2 * keys; call++) {
        await keeper.get(call % keys)
        if (performance.now() > deadline) return {}
      }
      const bytes = ((await heapUsed()) - before) / keys - TOKEN_LENGTH - STRING_HEADER_BYTES
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
