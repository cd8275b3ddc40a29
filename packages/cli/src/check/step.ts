import type { CheckStep, CheckStepName } from '../check-report'

/** A failure, explained. */
export interface Explanation {
  readonly error: string
  /** What was found, in one line. */
  readonly summary: string
  readonly meaning: string
  /** What to do, the likeliest first. */
  readonly remedies: readonly string[]
  readonly help?: string
}

export function failed(step: CheckStepName, explanation: Explanation, details?: CheckStep['details']): CheckStep {
  return { step, status: 'failed', ...explanation, ...(details && { details }) }
}

/** A step that works. With warnings, it is one to look at. */
export function passed(
  step: CheckStepName,
  summary: string,
  details?: CheckStep['details'],
  warnings: readonly string[] = [],
): CheckStep {
  const status = warnings.length > 0 ? 'warning' : 'ok'
  return { step, status, summary, ...(warnings.length > 0 && { warnings }), ...(details && { details }) }
}
