import { ConfigurationError, type ConfigurationProblem } from '../../errors'

/** Collects everything that is wrong with a configuration, so that one error names all of it. */
export class Problems {
  readonly #found: ConfigurationProblem[] = []

  add(client: string | undefined, option: string, message: string): void {
    this.#found.push({ client, option, message })
  }

  get found(): readonly ConfigurationProblem[] {
    return this.#found
  }

  /** @throws ConfigurationError when there are any. */
  throwIfAny(): void {
    if (this.#found.length > 0) throw new ConfigurationError(this.#found)
  }
}

/** Checks the options of one client; without a name, those of the manager. */
export class OptionChecks {
  readonly #problems: Problems
  readonly #client: string | undefined

  constructor(problems: Problems, client?: string) {
    this.#problems = problems
    this.#client = client
  }

  problem(option: string, message: string): undefined {
    this.#problems.add(this.#client, option, message)
  }

  object(option: string, value: unknown): value is Record<string, unknown> {
    if (typeof value === 'object' && value !== null) return true
    this.problem(option, `must be an object, not ${kind(value)}`)
    return false
  }

  function(option: string, value: unknown): void {
    if (value !== undefined && typeof value !== 'function') {
      this.problem(option, `must be a function, not ${kind(value)}`)
    }
  }

  /** Checks that the value is an object with all of `methods`. */
  methods(option: string, value: unknown, methods: readonly string[]): void {
    if (value === undefined || !this.object(option, value)) return
    const missing = methods.filter((method) => typeof value[method] !== 'function')
    if (missing.length > 0) this.problem(option, `has no method ${missing.join(', ')}`)
  }

  text(option: string, value: unknown): value is string {
    if (typeof value !== 'string') this.problem(option, `must be a string, not ${kind(value)}`)
    else if (value === '') this.problem(option, 'is empty')
    else if (!isWellFormed(value)) this.problem(option, 'contains half of a surrogate pair, which cannot be sent')
    else return true
    return false
  }

  optionalText(option: string, value: unknown): void {
    if (value !== undefined) this.text(option, value)
  }

  boolean(option: string, value: unknown): void {
    if (value !== undefined && typeof value !== 'boolean') {
      this.problem(option, `must be true or false, not ${kind(value)}`)
    }
  }

  /** A number of milliseconds (or entries) of at least `least`. */
  amount(option: string, value: unknown, least: number): void {
    if (value === undefined) return
    if (typeof value !== 'number' || Number.isNaN(value)) {
      this.problem(option, `must be a number, not ${Number.isNaN(value) ? 'NaN' : kind(value)}`)
    } else if (value < least || !Number.isFinite(value)) {
      this.problem(option, `must be a finite number of at least ${least}, not ${value}`)
    }
  }

  url(option: string, value: unknown): URL | undefined {
    if (!(value instanceof URL) && !this.text(option, value)) return undefined
    const text = String(value)
    if (!URL.canParse(text)) {
      // A text with an @ may contain a password.
      return this.problem(option, text.includes('@') ? 'does not parse as a URL' : `'${text}' does not parse as a URL`)
    }
    const url = new URL(text)
    if (url.username !== '' || url.password !== '') {
      return this.problem(option, 'contains a user name or password; use the options for credentials')
    }
    return url
  }
}

function kind(value: unknown): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? 'an array' : typeof value
}

/** Whether the text can be encoded as UTF-8, and so be sent in a form or a header. */
function isWellFormed(text: string): boolean {
  try {
    encodeURIComponent(text)
    return true
  } catch {
    return false
  }
}
