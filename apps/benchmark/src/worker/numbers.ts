import type { StepParameters } from './session'

/** A parameter that has to be a number. @throws TypeError when it is none */
export function numberOf(parameters: StepParameters, name: string): number {
  const value = parameters[name]
  if (typeof value !== 'number') throw new TypeError(`the parameter '${name}' of a step is missing`)
  return value
}
