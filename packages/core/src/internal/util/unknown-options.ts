import { nearestName } from '../../nearest-name'
import type { OptionChecks } from './option-checks'

/** Reports every option that is not among `known`, with the known one that is nearest. */
export function checkUnknown(checks: OptionChecks, options: object, known: readonly string[], prefix = ''): void {
  for (const option of Object.keys(options)) {
    if (known.includes(option)) continue
    const nearest = nearestName(option, known)
    const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
    checks.problem(`${prefix}${option}`, `is not an option${hint}`)
  }
}
