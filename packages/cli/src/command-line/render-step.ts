import type { CheckStep } from '../check-report'
import type { Paint } from './terminal'

const MARKS = { ok: ['green', 'ok'], warning: ['yellow', 'warning'], failed: ['red', 'FAILED'] } as const
const INDENT = ' '.repeat(10)
/** Claims and headers are shown; other details are for programs (--json). */
const SHOWN_DETAILS = ['header', 'claims', 'assertion'] as const

/** A step for a person to read. */
export function renderStep(step: CheckStep, paint: Paint): string {
  const [colour, word] = MARKS[step.status]
  const lines = [`${paint(colour, word.padEnd(8))}  ${paint('bold', step.step)}: ${step.summary}`]
  for (const name of SHOWN_DETAILS) {
    const value = step.details?.[name]
    if (value !== undefined) lines.push(`${INDENT}${paint('dim', name)}  ${JSON.stringify(value)}`)
  }
  for (const warning of step.warnings ?? []) lines.push(`${INDENT}${paint('yellow', 'warning')}: ${warning}`)
  if (step.meaning !== undefined) lines.push('', `${INDENT}What it means: ${step.meaning}`)
  if (step.remedies && step.remedies.length > 0) {
    lines.push(`${INDENT}What to do:`, ...step.remedies.map((remedy) => `${INDENT}- ${remedy}`))
  }
  if (step.help !== undefined) lines.push(`${INDENT}More: ${step.help}`)
  return lines.join('\n')
}
