import type { Fault } from './plan'

/** What a fault disturbs, and so which invariants do not hold while it lasts. `machine`: it was too busy to run this program. */
export type Area = 'store' | 'endpoint' | 'process' | 'tokens' | 'machine'

export const ALL_AREAS: readonly Area[] = ['store', 'endpoint', 'process', 'tokens', 'machine']

export const AREA_OF: Readonly<Record<Fault['kind'], Area>> = {
  crash: 'process',
  pause: 'process',
  restartAll: 'process',
  storeStall: 'store',
  storeReset: 'store',
  storeFlush: 'store',
  storeFailover: 'store',
  endpointDown: 'endpoint',
  endpointSlow: 'endpoint',
  revoke: 'tokens',
}

interface Span {
  readonly area: Area
  readonly from: number
  to: number
}

/** When what is disturbed. Times are in milliseconds of the machine's clock. */
export class Calm {
  #spans: Span[] = []

  /** Something is disturbed from now on. Returns the function that ends it. */
  begin(area: Area, from: number): (to: number) => void {
    const span: Span = { area, from, to: Number.POSITIVE_INFINITY }
    this.#spans.push(span)
    return (to) => {
      span.to = to
    }
  }

  add(area: Area, from: number, to: number): void {
    this.#spans.push({ area, from, to })
  }

  /** Whether none of these areas was disturbed between two times. */
  is(from: number, to: number, ...areas: readonly Area[]): boolean {
    return !this.#spans.some((span) => areas.includes(span.area) && span.from <= to && span.to >= from)
  }

  /** How many disturbances of an area overlap the time between two others. */
  count(from: number, to: number, area: Area): number {
    return this.#spans.filter((span) => span.area === area && span.from <= to && span.to >= from).length
  }

  /** How long disturbances of an area lasted, all together, that overlap the time between two others. */
  lengthOf(from: number, to: number, area: Area): number {
    const spans = this.#spans.filter((span) => span.area === area && span.from <= to && span.to >= from)
    return spans.reduce((sum, span) => sum + Math.min(span.to, to) - span.from, 0)
  }

  /** Forgets what ended before. A run may take hours. */
  forget(before: number): void {
    this.#spans = this.#spans.filter(({ to }) => to >= before)
  }
}
