import type { Dispatcher } from 'undici'

type UndiciHeaders = Dispatcher.DispatchOptions['headers']

/** Headers in any form that undici accepts, as a `Headers` object. */
export function headersOf(headers: UndiciHeaders): Headers {
  return new Headers(
    pairsOf(headers).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, String(one)])),
  )
}

/** A copy of headers in any form that undici accepts. */
export function copyHeaders(headers: UndiciHeaders): Record<string, string | string[]> {
  return withHeaders(headers, {})
}

/** A copy of the headers, in which `replaced` takes the place of headers of the same name. */
export function withHeaders(
  headers: UndiciHeaders,
  replaced: Readonly<Record<string, string>>,
): Record<string, string | string[]> {
  const result: Record<string, string | string[]> = {}
  for (const [name, value] of pairsOf(headers)) {
    if (Object.hasOwn(replaced, name.toLowerCase())) continue
    // A name that occurs more than once keeps all its values.
    const before = result[name]
    result[name] = before === undefined ? value : [before, value].flat()
  }
  return Object.assign(result, replaced)
}

function pairsOf(headers: UndiciHeaders): [name: string, value: string | string[]][] {
  if (headers === undefined || headers === null) return []
  const given = (pairs: Iterable<readonly [string, unknown]>) =>
    [...pairs].flatMap(([name, value]): [string, string | string[]][] =>
      value === undefined ? [] : [[name, Array.isArray(value) ? value.map(String) : String(value)]],
    )
  if (Array.isArray(headers) && typeof headers[0] === 'string') {
    const flat = headers as string[]
    return flat.flatMap((name, index): [string, string][] => (index % 2 === 0 ? [[name, flat[index + 1] ?? '']] : []))
  }
  if (Symbol.iterator in headers) return given(headers as Iterable<[string, unknown]>)
  return given(Object.entries(headers))
}
