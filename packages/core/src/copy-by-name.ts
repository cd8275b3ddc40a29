/**
 * A copy of an object, as `{ ...source }` makes it, but name by name, and without `__proto__`. HTTP clients hand their adapters objects
 * that V8 keeps as dictionaries, because properties were deleted or there is no prototype: it takes three times as long to spread
 * them.
 */
export function copyByName<Source extends object>(source: Source): Source {
  const copy: Record<PropertyKey, unknown> = {}
  const values = source as typeof copy
  for (const name of Object.keys(values)) {
    // It would set the prototype.
    if (name !== '__proto__') copy[name] = values[name]
  }
  for (const symbol of Object.getOwnPropertySymbols(values)) {
    if (Object.prototype.propertyIsEnumerable.call(values, symbol)) copy[symbol] = values[symbol]
  }
  return copy as Source
}
