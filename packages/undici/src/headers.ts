import type { Dispatcher } from 'undici'

type UndiciHeaders = Dispatcher.DispatchOptions['headers']
type HeaderValue = string | string[]

/** A request's headers as they were at the call, whichever form of undici's the caller used. Nobody may change them. */
export type HeaderSnapshot = Readonly<Record<string, HeaderValue>>

export function snapshotHeaders(headers: UndiciHeaders): HeaderSnapshot {
  return headers === undefined || headers === null ? NONE : valuesOf(headers)
}

/** The headers in the platform's form. */
export function toHeaders(snapshot: HeaderSnapshot): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(snapshot)) {
    for (const one of [value].flat()) headers.append(name, one)
  }
  return headers
}

/** A copy in undici's form. `replacements`, with lower-case names, replace headers of the same name. */
export function replaceHeaders(
  snapshot: HeaderSnapshot,
  replacements: Readonly<Record<string, string>>,
): Record<string, HeaderValue> {
  if (snapshot === NONE) return { ...replacements }
  const result: Record<string, HeaderValue> = {}
  for (const name of Object.keys(snapshot)) {
    if (!Object.hasOwn(replacements, name.toLowerCase())) result[name] = snapshot[name] as HeaderValue
  }
  return Object.assign(result, replacements)
}

const NONE: HeaderSnapshot = Object.freeze({})

function valuesOf(headers: NonNullable<UndiciHeaders>): Record<string, HeaderValue> {
  const values: Record<string, HeaderValue> = {}
  if (Array.isArray(headers) && typeof headers[0] === 'string') {
    const list = headers as string[]
    for (let index = 0; index < list.length; index += 2) add(values, String(list[index]), text(list[index + 1]))
  } else if (Symbol.iterator in headers) {
    for (const [name, value] of headers as Iterable<[string, unknown]>) addAny(values, name, value)
  } else {
    const record = headers as Record<string, unknown>
    for (const name of Object.keys(record)) addAny(values, name, record[name])
  }
  return values
}

function addAny(values: Record<string, HeaderValue>, name: string, value: unknown): void {
  if (value !== undefined) add(values, name, Array.isArray(value) ? value.map(text) : text(value))
}

/** A header that was given twice keeps both values. */
function add(values: Record<string, HeaderValue>, name: string, value: HeaderValue): void {
  const before = Object.hasOwn(values, name) ? values[name] : undefined
  values[name] = before === undefined ? value : [before, value].flat()
}

/** A header's value as undici sends it. */
function text(value: unknown): string {
  return value === null || value === undefined ? '' : String(value)
}
