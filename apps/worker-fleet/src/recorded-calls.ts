import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenManager } from '@tokenward/core'
import { type AuthorizedFetch, createFetch } from '@tokenward/fetch'
import { failureOf } from './counted-calls'
import { now } from './machine-clock'
import type { CallRecord, CallReport, CallTarget, MemberConfiguration, SentToken } from './protocol'

/** So many calls of one target may be under way at once. */
const MOST_PENDING = 4
/** A process that runs this much later than it wanted was stopped, or the machine is too busy. */
const STALL_MS = 400
const WATCH_EVERY_MS = 100

/** The header with the number of the call. */
const CALL = 'x-call'

interface PendingCall {
  readonly target: CallTarget
  readonly startedAt: number
  readonly sent: SentToken[]
}

/** Calls the APIs of some targets at a steady rate, and records each call. */
export class RecordedCalls {
  readonly #callsPerSecond: number
  readonly #apis: readonly { readonly target: CallTarget; readonly api: AuthorizedFetch }[]
  readonly #pending = new Map<string, PendingCall>()
  readonly #name: string
  #calls = 0
  #ended: CallRecord[] = []
  #stalls: CallReport['stalls'][number][] = []

  constructor(
    tokens: TokenManager<'catalog.client'>,
    { name, callsPerSecond }: Pick<MemberConfiguration, 'name' | 'callsPerSecond'>,
    targets: readonly CallTarget[],
  ) {
    this.#callsPerSecond = callsPerSecond
    this.#apis = targets.map((target) => {
      const options = { baseURL: target.apiUrl, tokenParameters: { scope: target.scope }, fetch: this.#send }
      return { target, api: createFetch(tokens as TokenManager, target.client, options) }
    })
    this.#name = name
  }

  report(): CallReport {
    const pending = [...this.#pending.values()].map(({ target, startedAt }) => ({ target: target.name, startedAt }))
    const report = { calls: this.#ended, pending, stalls: this.#stalls }
    this.#ended = []
    this.#stalls = []
    return report
  }

  /** Runs until `stop` aborts and the last calls have ended. */
  async run(stop: AbortSignal): Promise<void> {
    const watch = this.#watchForStalls()
    try {
      await Promise.all(this.#apis.map(({ target, api }) => this.#callRepeatedly(target, api, stop)))
    } finally {
      clearInterval(watch)
    }
  }

  async #callRepeatedly(target: CallTarget, api: AuthorizedFetch, stop: AbortSignal): Promise<void> {
    const calls = new Set<Promise<void>>()
    while (!stop.aborted) {
      if (calls.size < MOST_PENDING) {
        const call = this.#call(target, api).finally(() => calls.delete(call))
        calls.add(call)
      }
      await sleep(1_000 / this.#callsPerSecond, undefined, { signal: stop }).catch(() => {})
    }
    await Promise.all(calls)
  }

  async #call(target: CallTarget, api: AuthorizedFetch): Promise<void> {
    const call: PendingCall = { target, startedAt: now(), sent: [] }
    const number = String(++this.#calls)
    this.#pending.set(number, call)
    const headers = { 'user-agent': this.#name, [CALL]: number }
    const outcome = await this.#outcome(api, `list?target=${encodeURIComponent(target.name)}`, headers).catch(failureOf)
    this.#pending.delete(number)
    this.#ended.push({ target: target.name, startedAt: call.startedAt, endedAt: now(), sent: call.sent, outcome })
  }

  async #outcome(api: AuthorizedFetch, path: string, headers: Record<string, string>): Promise<string> {
    const response = await api(path, { headers })
    await response.body?.cancel()
    return String(response.status)
  }

  readonly #send: typeof fetch = async (input, init) => {
    const headers = new Headers(init?.headers)
    const at = now()
    // Connections that were idle while the process stood still may be closed. This is about tokens, so it connects again.
    const response = await fetch(input, init).catch(() => fetch(input, init))
    this.#pending
      .get(String(headers.get(CALL)))
      ?.sent.push({ tokenId: tokenIdOf(headers), at, endedAt: now(), status: response.status })
    return response
  }

  #watchForStalls(): NodeJS.Timeout {
    let last = now()
    return setInterval(() => {
      const at = now()
      if (at - last > WATCH_EVERY_MS + STALL_MS) this.#stalls.push({ from: last, to: at })
      last = at
    }, WATCH_EVERY_MS)
  }
}

function tokenIdOf(headers: Headers): string {
  const [, payload = ''] = (headers.get('authorization') ?? '').split('.')
  const { jti } = JSON.parse(Buffer.from(payload, 'base64url').toString() || '{}') as { jti?: unknown }
  return String(jti)
}
