/** How much a run measures. */
export interface Scale {
  readonly name: string
  readonly cached: { readonly rounds: number; readonly ms: number }
  readonly http: {
    readonly processes: number
    readonly rounds: number
    readonly requests: number
    /** So many requests of each kind come first in each process: after fewer, V8 has not compiled all code in its final form. */
    readonly warmUp: number
  }
  readonly cold: { readonly rounds: number; readonly callers: number }
  readonly expiry: { readonly rounds: number; readonly seconds: number; readonly renewalAfterSeconds: number }
  readonly revoked: { readonly rounds: number; readonly calls: number }
  readonly rejecting: { readonly rounds: number; readonly calls: number; readonly perSecond: number }
  readonly faults: { readonly callers: number; readonly outageSeconds: number; readonly renewalAfterSeconds: number }
  readonly fleet: { readonly rounds: number; readonly processes: readonly number[] }
  readonly dpop: { readonly rounds: number; readonly calls: number }
  readonly memory: {
    readonly rounds: number
    /** So many are kept at least, by several caches if need be: before the measurement, and while the heap is measured. */
    readonly leastTokens: number
    readonly keys: readonly number[]
    readonly calls: number
  }
}

/** The one whose results are published. */
const full: Scale = {
  name: 'full',
  cached: { rounds: 11, ms: 100 },
  http: { processes: 2, rounds: 8, requests: 400, warmUp: 8_000 },
  cold: { rounds: 3, callers: 1_000 },
  expiry: { rounds: 2, seconds: 10, renewalAfterSeconds: 4 },
  revoked: { rounds: 5, calls: 100 },
  rejecting: { rounds: 2, calls: 100, perSecond: 50 },
  faults: { callers: 20, outageSeconds: 3, renewalAfterSeconds: 3 },
  fleet: { rounds: 5, processes: [4, 16] },
  dpop: { rounds: 11, calls: 1_000 },
  memory: { rounds: 2, leastTokens: 1_000, keys: [10, 1_000, 100_000], calls: 20_000 },
}

/** To see quickly whether a change matters. */
const quick: Scale = {
  name: 'quick',
  cached: { rounds: 5, ms: 30 },
  http: { processes: 1, rounds: 4, requests: 400, warmUp: 3_000 },
  cold: { rounds: 1, callers: 1_000 },
  expiry: { rounds: 1, seconds: 6, renewalAfterSeconds: 3 },
  revoked: { rounds: 1, calls: 100 },
  rejecting: { rounds: 1, calls: 100, perSecond: 100 },
  faults: { callers: 20, outageSeconds: 2, renewalAfterSeconds: 2 },
  fleet: { rounds: 2, processes: [4] },
  dpop: { rounds: 3, calls: 300 },
  memory: { rounds: 1, leastTokens: 1_000, keys: [10, 1_000], calls: 5_000 },
}

/** For tests of the benchmark itself. */
const tiny: Scale = {
  name: 'tiny',
  cached: { rounds: 1, ms: 0.1 },
  http: { processes: 1, rounds: 1, requests: 5, warmUp: 5 },
  cold: { rounds: 1, callers: 5 },
  expiry: { rounds: 1, seconds: 0.2, renewalAfterSeconds: 2 },
  revoked: { rounds: 1, calls: 5 },
  rejecting: { rounds: 1, calls: 5, perSecond: 100 },
  faults: { callers: 2, outageSeconds: 0.1, renewalAfterSeconds: 0.2 },
  fleet: { rounds: 1, processes: [2] },
  dpop: { rounds: 1, calls: 5 },
  memory: { rounds: 1, leastTokens: 10, keys: [5], calls: 10 },
}

export const scales = { full, quick, tiny }
