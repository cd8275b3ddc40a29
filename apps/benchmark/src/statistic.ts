/** The values of several rounds, in short. */
export interface Statistic {
  readonly median: number
  readonly min: number
  readonly max: number
  /** The first and the third quartile: half of the rounds are between them. */
  readonly q1: number
  readonly q3: number
  readonly rounds: number
}

/** @throws RangeError when there is no value */
export function statistic(values: readonly number[]): Statistic {
  if (values.length === 0) throw new RangeError('a statistic needs a value')
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => round(quantile(sorted, share))
  return { median: at(0.5), min: at(0), max: at(1), q1: at(0.25), q3: at(0.75), rounds: sorted.length }
}

function quantile(sorted: readonly number[], share: number): number {
  const position = (sorted.length - 1) * share
  const below = sorted[Math.floor(position)] ?? 0
  const above = sorted[Math.ceil(position)] ?? 0
  return below + (above - below) * (position - Math.floor(position))
}

/** Five significant digits: more would only show noise. */
function round(value: number): number {
  return Number(value.toPrecision(5))
}
