import type { Clock, TimerOptions } from '../../clock'

/** Smaller differences between the clocks are drift and rounding. */
const SUSPENDED_FOR_MS = 1_000

/**
 * A clock whose monotonic time also passes while the machine is suspended. The platform's monotonic clock may stand still
 * then, and tokens would be used long after their expiry. So a jump of the wall clock against the monotonic clock counts as
 * time that has passed. Setting the wall clock forward has the same effect: tokens are renewed earlier than needed. Setting it
 * back changes nothing.
 */
export function suspendAwareClock(clock: Clock): Clock {
  let difference = clock.now() - clock.monotonic()
  let suspendedMs = 0
  return Object.freeze({
    now: () => clock.now(),
    monotonic() {
      const monotonic = clock.monotonic()
      const jumpMs = clock.now() - monotonic - difference
      if (jumpMs > SUSPENDED_FOR_MS) suspendedMs += jumpMs
      if (Math.abs(jumpMs) > SUSPENDED_FOR_MS) difference += jumpMs
      return monotonic + suspendedMs
    },
    setTimeout: (callback: () => void, delayMs: number, options?: TimerOptions) =>
      clock.setTimeout(callback, delayMs, options),
  })
}
