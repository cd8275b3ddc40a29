/** Every benchmark, in the order in which they run. */
export const BENCHMARK_NAMES = [
  'cached',
  'http',
  'cold',
  'expiry',
  'revoked',
  'rejecting',
  'faults',
  'fleet',
  'dpop',
  'memory',
] as const

export type BenchmarkName = (typeof BENCHMARK_NAMES)[number]
