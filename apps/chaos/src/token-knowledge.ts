import type { CallRecord, CallReport } from '@tokenward/worker-fleet'
import type { Bounds } from './bounds'
import type { Calm } from './calm'
import type { IssuedToken } from './observations'

/** So many tokens of a process and target are remembered: those that it can still use. */
const MOST_TOKENS = 4

interface KnowledgeOptions {
  readonly bounds: Bounds
  readonly calm: Calm
  readonly issued: (tokenId: string) => IssuedToken | undefined
}

/** Which tokens each process knows. */
export class TokenKnowledge {
  readonly #options: KnowledgeOptions
  readonly #processes = new Map<string, ProcessTokens>()

  constructor(options: KnowledgeOptions) {
    this.#options = options
  }

  of(process: string): ProcessTokens {
    const known = this.#processes.get(process) ?? new ProcessTokens(this.#options)
    this.#processes.set(process, known)
    return known
  }

  forget(process: string): void {
    this.#processes.delete(process)
  }
}

/** The tokens that one process has sent, and when it got no time to run. */
export class ProcessTokens {
  stalls: CallReport['stalls'][number][] = []
  readonly #options: KnowledgeOptions
  readonly #tokens = new Map<string, { readonly tokenId: string; readonly learnedAt: number }[]>()
  readonly #rejected = new Map<string, { readonly tokenId: string; readonly at: number }>()

  constructor(options: KnowledgeOptions) {
    this.#options = options
  }

  learn({ target, sent, endedAt }: CallRecord): void {
    for (const { tokenId, at, status } of sent) {
      const known = this.#tokens.get(target) ?? []
      if (!known.some((each) => each.tokenId === tokenId)) {
        this.#tokens.set(target, [...known, { tokenId, learnedAt: at }].slice(-MOST_TOKENS))
      }
      if (status === 401 && this.rejectedAt(target, tokenId) === undefined) {
        this.#rejected.set(target, { tokenId, at: endedAt })
      }
    }
    this.stalls = this.stalls.filter(({ to }) => to > endedAt - 2 * this.#options.bounds.longestCallMs)
  }

  /** When the process learned that the API rejects this token. */
  rejectedAt(target: string, tokenId: string): number | undefined {
    const rejected = this.#rejected.get(target)
    return rejected?.tokenId === tokenId ? rejected.at : undefined
  }

  /** A token that the process knew and that was valid between two times, by the process's own reckoning. */
  valid(target: string, from: number, to: number): string | undefined {
    const isValid = ({ tokenId, learnedAt }: { readonly tokenId: string; readonly learnedAt: number }) => {
      const token = this.#options.issued(tokenId)
      if (!token || token.revokedAt !== undefined || learnedAt > from) return false
      return to < token.expiresAt - this.#marginMs(token)
    }
    return this.#tokens.get(target)?.find(isValid)?.tokenId
  }

  /** A process counts the lifetime from the moment of the request, which may be earlier than the token was issued. */
  #marginMs({ issuedAt }: IssuedToken): number {
    const { bounds, calm } = this.#options
    const wasQuick = calm.is(issuedAt - bounds.timeoutMs, issuedAt, 'endpoint', 'process', 'machine')
    return (wasQuick ? 2 * bounds.latencyMs : bounds.timeoutMs) + 500
  }

  /** How long the process has run between two times. */
  ranBetween(from: number, to: number): number {
    const stalled = this.stalls.map((stall) => Math.min(stall.to, to) - Math.max(stall.from, from))
    return to - from - stalled.reduce((sum, length) => sum + Math.max(0, length), 0)
  }
}
