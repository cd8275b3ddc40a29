import { setTimeout as sleep } from 'node:timers/promises'
import type { Library, OpenLibrary, OpenOptions } from '../libraries/library'
import { numberOf } from './numbers'
import type { Measurements, Session, StepParameters } from './session'

/**
 * Makes calls and counts those that fail. `step` is one of:
 *
 * - `open`: sets the library up anew, with an empty cache, as the client `clientId` if there is one
 * - `burst`: makes `calls` calls at once
 * - `rate`: makes `perSecond` calls a second for `seconds` seconds, without waiting for earlier ones
 * - `callers`: for `seconds` seconds, `callers` callers make one call after another, with a pause of 5 ms
 *
 * `what` is `token` for calls that only need a token, or `request` for requests of the API.
 */
export async function loadSession(library: Library, options: OpenOptions): Promise<Session> {
  let open: OpenLibrary = await library.open(options)
  let unhandled = 0
  const countUnhandled = () => unhandled++
  process.on('unhandledRejection', countUnhandled)

  async function load(parameters: StepParameters): Promise<Measurements> {
    const count = { calls: 0, failed: 0, slowestMs: 0 }
    const unhandledBefore = unhandled
    const startedAt = performance.now()
    await patterns[String(parameters.step)]?.(parameters, () => callOnce(count, parameters.what === 'token'))
    const ms = performance.now() - startedAt
    // A rejection that nobody handles is reported after the call that caused it.
    await sleep(1)
    return { ...count, ms, unhandled: unhandled - unhandledBefore }
  }

  async function callOnce(count: { calls: number; failed: number; slowestMs: number }, tokenOnly: boolean) {
    count.calls++
    const startedAt = performance.now()
    try {
      const { getToken, request } = open
      const isGood = tokenOnly && getToken ? await getToken() : (await request()) === 200
      if (!isGood) count.failed++
    } catch {
      count.failed++
    }
    count.slowestMs = Math.max(count.slowestMs, performance.now() - startedAt)
  }

  return {
    async step(parameters) {
      if (parameters.step !== 'open') return load(parameters)
      await open.close?.()
      const { clientId = options.clientId } = parameters
      open = await library.open({ ...options, clientId: String(clientId) })
      return {}
    },
    async close() {
      process.off('unhandledRejection', countUnhandled)
      await open.close?.()
    },
  }
}

const CALLER_PAUSE_MS = 5

const patterns: Readonly<Record<string, (parameters: StepParameters, call: () => Promise<void>) => Promise<unknown>>> =
  {
    burst: (parameters, call) => Promise.all(Array.from({ length: numberOf(parameters, 'calls') }, call)),
    async rate(parameters, call) {
      const perSecond = numberOf(parameters, 'perSecond')
      const pending: Promise<void>[] = []
      const startedAt = performance.now()
      for (let number = 0; number < perSecond * numberOf(parameters, 'seconds'); number++) {
        const dueMs = startedAt + (number * 1_000) / perSecond - performance.now()
        if (dueMs > 1) await sleep(dueMs)
        pending.push(call())
      }
      await Promise.all(pending)
    },
    async callers(parameters, call) {
      const endsAt = performance.now() + numberOf(parameters, 'seconds') * 1_000
      const caller = async () => {
        while (performance.now() < endsAt) {
          await call()
          await sleep(CALLER_PAUSE_MS)
        }
      }
      await Promise.all(Array.from({ length: numberOf(parameters, 'callers') }, caller))
    },
  }
