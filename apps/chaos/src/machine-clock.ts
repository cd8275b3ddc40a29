import { now } from '@tokenward/worker-fleet'

/** What to add to `performance.now` of this process to get the machine's clock. */
export const PERFORMANCE_OFFSET_MS = now() - performance.now()
