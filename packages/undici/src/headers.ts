import type { Dispatcher } from 'undici'

type UndiciHeaders = Dispatcher.DispatchOptions['headers']
type HeaderValue = string | string[]

/** A copy of a request's headers: name and value. A name may occur more than once. */
export type HeaderPairs = readonly (readonly [name: string, value: HeaderValue])[]

/** Reads headers in any of the forms that undici accepts: an object, an iterable of pairs, or a flat list. */
export function copyHeaders(headers: UndiciHeaders): HeaderPairs {
  if (headers === undefined || headers === null) return []
  if (Array.isArray(headers) && typeof headers[0] === 'string') return pairsOfFlatList(headers as string[])
  const pairs = Symbol.iterator in headers ? (headers as Iterable<readonly [string, unknown]>) : Object.entries(headers)
  return [...pairs].flatMap(([name, value]) =>
    value === undefined ? [] : [[name, Array.isArray(value) ? value.map(String) : String(value)] as const],
  )
}

function pairsOfFlatList(list: readonly string[]): HeaderPairs {
  return list.flatMap((name, index) => (index % 2 === 0 ? [[name, list[index + 1] ?? ''] as const] : []))
}

/** The same headers as a `Headers` object. */
export function toHeaders(pairs: HeaderPairs): Headers {
  return new Headers(pairs.flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one])))
}

/** The headers for undici: `replacements` (with lower-case names) take the place of headers of the same name. */
export function replaceHeaders(
  pairs: HeaderPairs,
  replacements: Readonly<Record<string, string>>,
): Record<string, HeaderValue> {
  const result: Record<string, HeaderValue> = {}
  for (const [name, value] of pairs) {
    if (Object.hasOwn(replacements, name.toLowerCase())) continue
    const before = result[name]
    result[name] = before === undefined ? value : [before, value].flat()
  }
  return Object.assign(result, replacements)
}
