import type { Row } from '../result'
import { type Statistic, statistic } from '../statistic'

/** Collects the values of several rounds, by row and column. */
export class Samples {
  readonly #rows = new Map<string, { library: string; variant: string | undefined; values: Map<string, number[]> }>()

  /** Adds the values of one round. A value that is undefined or no finite number is left out. */
  add(library: string, values: Readonly<Record<string, number | undefined>>, variant?: string): void {
    const id = JSON.stringify([library, variant])
    const row = this.#rows.get(id) ?? { library, variant, values: new Map<string, number[]>() }
    this.#rows.set(id, row)
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined || !Number.isFinite(value)) continue
      row.values.set(key, [...(row.values.get(key) ?? []), value])
    }
  }

  rows(): Row[] {
    return [...this.#rows.values()].map(({ library, variant, values }) => ({
      library,
      ...(variant === undefined ? {} : { variant }),
      values: Object.fromEntries([...values].map(([key, numbers]): [string, Statistic] => [key, statistic(numbers)])),
    }))
  }
}
