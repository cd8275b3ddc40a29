/**
 * An object that shows `shown` and also has `hidden`. Hidden properties are read like any other, but `console.log`,
 * `util.inspect` with any options, `JSON.stringify`, a spread and a structured clone leave them out.
 *
 * They are getters on a prototype. With `showHidden`, util.inspect lists the properties of prototypes too, from the object's
 * own prototype up to the first whose `constructor` is a built-in. So the object's own prototype is empty, and the next one
 * holds the getters and names `Object` as its constructor.
 */
export function withHidden<Shown extends object, Hidden extends object>(
  shown: Shown,
  hidden: Hidden,
): Readonly<Shown & Hidden> {
  const getters: PropertyDescriptorMap = {}
  for (const key of Object.keys(hidden)) getters[key] = { get: () => hidden[key as keyof Hidden] }
  const prototype = Object.create(hiddenPrototype(getters))
  return Object.freeze(Object.assign(Object.create(prototype), shown))
}

/** Gives the instances of a class hidden properties, as {@link withHidden} does for one object. */
export function hideOnPrototype(type: { readonly prototype: object }, getters: PropertyDescriptorMap): void {
  Object.setPrototypeOf(type.prototype, hiddenPrototype(getters))
  Reflect.deleteProperty(type.prototype, 'constructor')
}

function hiddenPrototype(getters: PropertyDescriptorMap): object {
  return Object.create(Object.prototype, { constructor: { value: Object }, ...getters })
}
