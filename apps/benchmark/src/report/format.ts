import type { Column, Unit } from '../result'
import type { Statistic } from '../statistic'

const SUFFIX: Readonly<Record<Unit, string>> = {
  ratio: '',
  ns: ' ns',
  us: ' µs',
  ms: ' ms',
  count: '',
  perSecond: '/s',
  bytes: ' B',
}

/** A value with its unit, in as many digits as mean something. */
export function formatValue(value: number, unit: Unit): string {
  return `${formatNumber(value, unit)}${SUFFIX[unit]}`
}

function formatNumber(value: number, unit: Unit): string {
  const size = Math.abs(value)
  const digits = unit === 'count' || unit === 'bytes' || size >= 100 ? 0 : size >= 10 || unit === 'perSecond' ? 1 : 2
  // No sign in front of a value that is rounded to zero.
  const number = Number(value.toFixed(digits)) === 0 ? 0 : value
  return number.toLocaleString('en', {
    minimumFractionDigits: unit === 'count' ? 0 : digits,
    maximumFractionDigits: digits,
  })
}

/** The median, and from where to where half of the rounds are. */
export function formatStatistic({ median, q1, q3 }: Statistic, unit: Unit): string {
  const [low, high] = [formatNumber(q1, unit), formatNumber(q3, unit)]
  const value = formatValue(median, unit)
  return low === high ? value : `${value} (${low} to ${high})`
}

/** The goal of a column, for its title. */
export function formatGoal({ goal, unit }: Column): string {
  return goal === undefined ? '' : `goal: ${goal === 0 ? '' : 'at most '}${goal.toLocaleString('en')}${SUFFIX[unit]}`
}
