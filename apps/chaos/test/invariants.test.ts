import type { CallRecord } from '@tokenward/worker-fleet'
import { expect, test } from 'vitest'
import { Bounds } from '../src/bounds'
import { Calm } from '../src/calm'
import { INVARIANTS, type Invariant, Invariants } from '../src/invariants'
import type { IssuedToken, TokenRequest } from '../src/observations'

// An invariant that cannot fail proves nothing. Each one is shown a made-up record that breaks it, and a similar one that does not.

const LIFETIME_MS = 60_000
/** Long after the beginning, so that nothing happened shortly before. */
const T = 1_000_000

const bounds = new Bounds({ lifetimeMs: LIFETIME_MS, timeoutMs: 2_000, storeTimeoutMs: 1_000, latencyMs: 150 })

function setup() {
  const calm = new Calm()
  const tokens = new Map<string, IssuedToken>()
  const issue = (tokenId: string, issuedAt: number, token: Partial<IssuedToken> = {}) => {
    const expiresAt = issuedAt + LIFETIME_MS
    tokens.set(tokenId, { clientId: 'c', scope: 'read', issuedAt, expiresAt, revokedAt: undefined, ...token })
  }
  issue('a', T)
  const targets = [{ name: 'x', clientId: 'c', scope: 'read' }]
  const invariants = new Invariants({ bounds, calm, targets, issued: (tokenId) => tokens.get(tokenId) })
  const report = (...calls: CallRecord[]) => invariants.report('p', { calls, pending: [], stalls: [] }, T)
  return { calm, invariants, issue, report }
}
type Setup = ReturnType<typeof setup>

/** A call that took 10 ms. */
function call(at: number, tokenId: string | undefined, more: Partial<CallRecord> = {}): CallRecord {
  const sent = tokenId === undefined ? [] : [{ tokenId, at, endedAt: at, status: 200 }]
  return { target: 'x', startedAt: at, endedAt: at + 10, sent, outcome: '200', ...more }
}

const FAILED = 'TokenRequestError server_error'
const refused = (at: number, tokenId: string) =>
  call(at, tokenId, { sent: [{ tokenId, at, endedAt: at, status: 401 }], outcome: '401' })
const renewed = (at: number, before: string, after: string) =>
  call(at, before, {
    sent: [before, after].map((tokenId) => ({ tokenId, at, endedAt: at, status: tokenId === after ? 200 : 401 })),
  })
const request = (at: number, process: string, more: Partial<TokenRequest> = {}): TokenRequest => ({
  process,
  target: 'x',
  at,
  endedAt: undefined,
  status: 0,
  ...more,
})

/** Sends so many requests a second to an endpoint that is down, for twenty seconds, from processes in turn. */
function outage({ invariants }: Setup, requestsPerSecond: number, processes: number) {
  invariants.outageBegan(T)
  for (let number = 0; number < 20 * requestsPerSecond; number++) {
    const at = T + 1 + (number * 1_000) / requestsPerSecond
    const each = request(at, `p${number % processes}`, { endedAt: at + 1 })
    invariants.tokenRequestBegan(each)
    invariants.tokenRequestEnded(each)
  }
}

interface Example {
  /** What breaks it. */
  readonly broken: (setup: Setup) => void
  /** What is like it, and holds. */
  readonly holds: (setup: Setup) => void
}

const EXAMPLES: Readonly<Record<Invariant, Example>> = {
  notExpired: {
    broken: ({ report }) => report(call(T + LIFETIME_MS + 501, 'a')),
    holds: ({ report }) => report(call(T + LIFETIME_MS + 499, 'a')),
  },
  notRejected: {
    broken({ report, issue }) {
      issue('b', T + 100)
      report(renewed(T + 200, 'a', 'b'), call(T + 300, 'a'))
    },
    holds({ report, issue, calm }) {
      issue('b', T + 100)
      calm.add('endpoint', T, T + 400)
      report(renewed(T + 200, 'a', 'b'), call(T + 300, 'a'))
    },
  },
  servedWhileValid: {
    broken({ report, calm }) {
      calm.add('endpoint', T + 15, T + 25)
      report(call(T + 10, 'a'), call(T + 20, undefined, { outcome: FAILED }))
    },
    holds({ report, calm }) {
      calm.add('endpoint', T + 15, T + LIFETIME_MS)
      report(call(T + 10, 'a'), call(T + LIFETIME_MS, undefined, { outcome: FAILED }))
    },
  },
  ends: {
    broken({ report, calm }) {
      calm.add('endpoint', T, T + 20)
      report(call(T, undefined, { endedAt: T + bounds.longestCallMs + 1, outcome: FAILED }))
    },
    holds({ report, calm }) {
      calm.add('endpoint', T, T + 20)
      report(call(T, undefined, { endedAt: T + bounds.longestCallMs - 1, outcome: FAILED }))
    },
  },
  oneRenewal: {
    broken({ invariants }) {
      invariants.tokenRequestBegan(request(T, 'p', { endedAt: T + 150, status: 200 }))
      invariants.tokenRequestBegan(request(T + 149, 'q', { endedAt: T + 300, status: 200 }))
      invariants.checkRequests(T + 1_000)
    },
    holds({ invariants, calm }) {
      invariants.tokenRequestBegan(request(T, 'p', { endedAt: T + 150, status: 200 }))
      invariants.tokenRequestBegan(request(T + 150, 'q', { endedAt: T + 300, status: 200 }))
      invariants.tokenRequestBegan(request(T + 160, 'p', { target: 'y', endedAt: T + 300, status: 200 }))
      calm.add('store', T + 200, T + 210)
      invariants.tokenRequestBegan(request(T + 220, 'r', { endedAt: T + 300, status: 200 }))
      invariants.checkRequests(T + 1_000)
    },
  },
  requestsPerLifetime: {
    broken: ({ invariants }) => invariants.stretch('x', T, T + 3 * LIFETIME_MS, 6),
    holds: ({ invariants }) => invariants.stretch('x', T, T + 3 * LIFETIME_MS, 5),
  },
  outageRate: {
    broken(setup) {
      setup.calm.add('store', T, T + 20_000)
      outage(setup, 3, 1)
    },
    holds: (setup) => outage(setup, 2, 1),
  },
  fleetOutageRate: {
    broken: (setup) => outage(setup, 4, 8),
    holds: (setup) => outage(setup, 2, 8),
  },
  recovers: {
    broken({ calm, report }) {
      calm.add('endpoint', T, T + 10)
      report(call(T + 11 + bounds.recoveryMs, undefined, { outcome: FAILED }))
    },
    holds({ calm, report }) {
      calm.add('endpoint', T, T + 10)
      report(call(T + 9 + bounds.recoveryMs, undefined, { outcome: FAILED }))
    },
  },
  ownToken: {
    broken({ report, issue }) {
      issue('other', T, { scope: 'write' })
      report(call(T, 'other'))
    },
    holds: ({ report }) => report(call(T, 'a')),
  },
  secrecy: {
    broken: ({ invariants }) => invariants.wire(1, ['a token'], T),
    holds: ({ invariants }) => invariants.wire(1, [], T),
  },
  rightError: {
    broken: ({ calm, report }) => {
      calm.add('endpoint', T, T)
      report(call(T, undefined, { outcome: 'TypeError' }))
    },
    holds: ({ calm, report }) => {
      calm.add('endpoint', T, T)
      report(call(T, undefined, { outcome: FAILED }))
    },
  },
  noUnhandled: {
    broken: ({ invariants }) => invariants.endedByItself('p', T),
    holds: ({ invariants }) => invariants.processGone('p'),
  },
}

/** The invariants that are broken then. */
function brokenBy(show: (setup: Setup) => void): Invariant[] {
  const shown = setup()
  show(shown)
  return [...new Set(shown.invariants.violations.map(({ invariant }) => invariant))]
}

test.for(Object.entries(EXAMPLES) as [Invariant, Example][])('%s can fail', ([invariant, { broken, holds }]) => {
  expect(brokenBy(broken), INVARIANTS[invariant]).toEqual([invariant])
  expect(brokenBy(holds)).toEqual([])
})

const MORE: [what: string, invariant: Invariant, example: Example][] = [
  [
    'a call that waits although its process has a token',
    'ends',
    {
      broken: ({ report, calm }) => {
        calm.add('store', T, T)
        report(call(T + 10, 'a'), call(T + 20, 'a', { endedAt: T + 5_021 }))
      },
      holds: ({ report, calm }) => {
        calm.add('store', T, T)
        report(call(T + 20, 'a', { endedAt: T + 5_021 }))
      },
    },
  ],
  [
    'a call that does not end',
    'ends',
    {
      broken: ({ invariants }) =>
        invariants.report(
          'p',
          { calls: [], stalls: [], pending: [{ target: 'x', startedAt: T }] },
          T + bounds.longestCallMs + 1,
        ),
      // The process stood still.
      holds: ({ invariants }) =>
        invariants.report(
          'p',
          { calls: [], stalls: [{ from: T, to: T + 5_000 }], pending: [{ target: 'x', startedAt: T }] },
          T + bounds.longestCallMs + 1,
        ),
    },
  ],
  [
    'two requests of one process',
    'oneRenewal',
    {
      broken({ invariants, calm }) {
        calm.add('store', T, T + 1_000)
        invariants.tokenRequestBegan(request(T, 'p', { endedAt: T + 150, status: 200 }))
        invariants.tokenRequestBegan(request(T + 50, 'p'))
        invariants.checkRequests(T + 1_000)
      },
      // It gave up the first one, which the server noticed late.
      holds({ invariants }) {
        invariants.tokenRequestBegan(request(T, 'p', { endedAt: T + 1_200 }))
        invariants.tokenRequestBegan(request(T + 1_000, 'p'))
        invariants.checkRequests(T + 2_000)
      },
    },
  ],
  [
    'an API’s 401 that reaches the caller',
    'notRejected',
    {
      broken({ report, issue, calm }) {
        issue('a', T, { revokedAt: T + 100 })
        calm.add('tokens', T + 100, T + 100)
        report(refused(T + 200, 'a'))
      },
      // A second revocation shortly after the first one: the token manager waits before it renews again.
      holds({ report, issue, calm }) {
        issue('a', T, { revokedAt: T + 100 })
        calm.add('tokens', T + 50, T + 50)
        calm.add('tokens', T + 100, T + 100)
        report(refused(T + 200, 'a'))
      },
    },
  ],
  [
    'processes that do not share a token again',
    'recovers',
    {
      broken: ({ invariants }) => invariants.shared(T, undefined, T + 20_000),
      holds: ({ invariants }) => invariants.shared(T, T + 5_000, T + 20_000),
    },
  ],
]

test.for(MORE)('%s breaks an invariant', ([, invariant, { broken, holds }]) => {
  expect(brokenBy(broken)).toEqual([invariant])
  expect(brokenBy(holds)).toEqual([])
})
