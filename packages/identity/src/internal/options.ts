import { ConfigurationError, type ConfigurationProblem, nearestName } from '@tokenward/core'

type Check = 'text' | 'number' | 'function' | 'any'

/** Collects what is wrong with the options of `name`, and throws it in one error. */
export class OptionChecks {
  readonly #name: string
  readonly #problems: ConfigurationProblem[] = []

  constructor(name: string) {
    this.#name = name
  }

  /** Checks the types of the options, and that there are no others. */
  known(options: unknown, types: Readonly<Record<string, Check>>): void {
    if (typeof options !== 'object' || options === null) {
      this.problem('options', 'must be an object')
      return
    }
    const all: Readonly<Record<string, Check>> = { ...types, timeoutMs: 'number', env: 'any', clock: 'any' }
    for (const [option, value] of Object.entries(options)) {
      const type = Object.hasOwn(all, option) ? all[option] : undefined
      if (type === undefined) {
        const nearest = nearestName(option, Object.keys(all))
        this.problem(option, `is not an option${nearest === undefined ? '' : `; did you mean ${nearest}?`}`)
      } else if (value !== undefined) {
        this.#value(option, value, type)
      }
    }
  }

  /** Checks an option that must be there. */
  required(option: string, value: unknown, message = 'is required'): void {
    if (value === undefined) this.problem(option, message)
  }

  problem(option: string, message: string): void {
    this.#problems.push({ option: `${this.#name}: ${option}`, message })
  }

  /** @throws ConfigurationError when something is wrong. */
  throwIfAny(): void {
    if (this.#problems.length > 0) throw new ConfigurationError(this.#problems)
  }

  #value(option: string, value: unknown, type: Check): void {
    if (type === 'text' && (typeof value !== 'string' || value === ''))
      this.problem(option, 'must be a text, not empty')
    if (type === 'function' && typeof value !== 'function') this.problem(option, 'must be a function')
    if (type === 'number' && !(typeof value === 'number' && value > 0 && Number.isFinite(value))) {
      this.problem(option, 'must be a number above 0')
    }
  }
}

/** Checks the options of a supplier. @throws ConfigurationError */
export function checkOptions(name: string, options: unknown, types: Readonly<Record<string, Check>>): void {
  const checks = new OptionChecks(name)
  checks.known(options, types)
  checks.throwIfAny()
}
