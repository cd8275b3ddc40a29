import type { Dispatcher } from 'undici'

type UndiciHeaders = Dispatcher.DispatchOptions['headers']
type HeaderValue = string | string[]

/** A request's headers as they were at the call, whichever form of undici's the caller used. */
export class HeaderSnapshot {
  readonly #pairs: readonly (readonly [name: string, value: HeaderValue])[]

  constructor(headers: UndiciHeaders) {
    this.#pairs = pairsOf(headers)
  }

  /** The headers in the platform's form. */
  toHeaders(): Headers {
    const headers = new Headers()
    for (const [name, value] of this.#pairs) for (const one of [value].flat()) headers.append(name, one)
    return headers
  }

  /** The headers in undici's form. `replacements`, with lower-case names, replace headers of the same name. */
  with(replacements: Readonly<Record<string, string>>): Record<string, HeaderValue> {
    const result: Record<string, HeaderValue> = {}
    for (const [name, value] of this.#pairs) {
      if (Object.hasOwn(replacements, name.toLowerCase())) continue
      // A header that was given twice keeps both values.
      const before = result[name]
      result[name] = before === undefined ? value : [before, value].flat()
    }
    return Object.assign(result, replacements)
  }
}

function pairsOf(headers: UndiciHeaders): [name: string, value: HeaderValue][] {
  if (headers === undefined || headers === null) return []
  if (Array.isArray(headers) && typeof headers[0] === 'string') return pairsOfFlatList(headers as string[])
  const entries = Symbol.iterator in headers ? (headers as Iterable<[string, unknown]>) : Object.entries(headers)
  const pairs: [string, HeaderValue][] = []
  for (const [name, value] of entries) {
    if (value !== undefined) pairs.push([name, Array.isArray(value) ? value.map(text) : text(value)])
  }
  return pairs
}

function pairsOfFlatList(list: readonly string[]): [name: string, value: string][] {
  const pairs: [string, string][] = []
  for (let index = 0; index < list.length; index += 2) pairs.push([String(list[index]), text(list[index + 1])])
  return pairs
}

/** A header's value as undici sends it. */
function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}
