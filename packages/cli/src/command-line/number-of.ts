import type { FlagValues } from './flags'
import { UsageError } from './usage-error'

/** The number that a flag has. @throws UsageError */
export function numberOf(
  values: FlagValues,
  name: string,
  byDefault: number,
  { least, most, whole }: { least: number; most: number; whole: boolean },
): number {
  const given = values[name]
  if (given === undefined) return byDefault
  const value = Number(given)
  if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value
  throw new UsageError(
    `--${name} must be a ${whole ? 'whole ' : ''}number from ${least} to ${most}, not '${String(given).slice(0, 30)}'`,
  )
}
