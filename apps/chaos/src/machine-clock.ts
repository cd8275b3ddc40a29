/** Milliseconds of the machine's monotonic clock. `performance.now` begins anew in each process. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** What to add to `performance.now` of this process. */
export const PERFORMANCE_OFFSET_MS = now() - performance.now()
