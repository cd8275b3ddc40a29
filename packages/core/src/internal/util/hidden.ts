/**
 * An object that shows `shown` and still gives `hidden`: the hidden properties are read as any other, but they are
 * not the object's own, and `console.log`, `util.inspect` with whatever options, `JSON.stringify`, a spread and a
 * structured clone pass them by.
 */
export function withHidden<Shown extends object, Hidden extends object>(
  shown: Shown,
  hidden: Hidden,
): Readonly<Shown & Hidden> {
  const getters: PropertyDescriptorMap = {}
  for (const key of Object.keys(hidden)) getters[key] = { get: () => hidden[key as keyof Hidden] }
  const prototype = Object.create(Object.prototype, {
    ...getters,
    // Without it, util.inspect with showHidden would list the getters, and with `getters` call them.
    [Symbol.for('nodejs.util.inspect.custom')]: { value: () => ({ ...shown }) },
  })
  return Object.freeze(Object.assign(Object.create(prototype), shown))
}
