import type { Parameters } from 'fast-check'

/**
 * How often a property is tried. `npm test` tries the same cases each time, so that a run does not depend on chance. `pnpm fuzz` tries
 * others and more of them.
 *
 * @param numRuns how often in `npm test`
 */
export function runs<Case>(numRuns: number): Parameters<Case> {
  const { FUZZ_SEED = '1', FUZZ_FACTOR = '1' } = process.env
  return { numRuns: numRuns * Number(FUZZ_FACTOR), seed: Number(FUZZ_SEED) }
}

/** The time limit of a property: many cases take long on a machine that is busy. */
export const slow = { timeout: 120_000 * Number(process.env.FUZZ_FACTOR ?? '1') }
