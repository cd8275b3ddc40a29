/** A value in an {@link LruMap}, linked to the values that were used just before and after it. */
export class LruItem<Value> {
  readonly key: string
  value: Value
  /** The map that it is in. Undefined after its removal. */
  map: LruMap<Value> | undefined
  newer: Link = this
  older: Link = this

  constructor(map: LruMap<Value>, key: string, value: Value) {
    this.map = map
    this.key = key
    this.value = value
  }

  /** Notes that the value is used. Does nothing after its removal. */
  touch(): void {
    this.map?.recency.touch(this)
  }
}

interface Link {
  newer: Link
  older: Link
}

/** What the values of one or more maps share: the order of their last use, and the limit of how many there are. */
export class Recency {
  readonly #maxItems: number
  #size = 0
  /** Closes the list to a ring: the newest item is the next older one, the oldest item the next newer one. */
  readonly #ends: Link

  constructor(maxItems: number) {
    this.#maxItems = maxItems
    const ends = {} as Link
    ends.newer = ends
    ends.older = ends
    this.#ends = ends
  }

  touch(item: Link): void {
    if (this.#ends.older === item) return
    item.newer.older = item.older
    item.older.newer = item.newer
    this.#insert(item)
  }

  /** Adds an item as the newest, and removes the oldest one when there are too many. */
  add(item: Link): void {
    this.#insert(item)
    this.#size++
    if (this.#size > this.#maxItems) {
      const oldest = this.#ends.newer as LruItem<unknown>
      oldest.map?.delete(oldest.key)
    }
  }

  remove(item: Link): void {
    item.newer.older = item.older
    item.older.newer = item.newer
    this.#size--
  }

  #insert(item: Link): void {
    const ends = this.#ends
    item.newer = ends
    item.older = ends.older
    ends.older.newer = item
    ends.older = item
  }
}

/**
 * A map whose least recently used value is removed when there are too many. It needs less time and memory than `memoryStore`,
 * because its values do not expire.
 */
export class LruMap<Value> {
  readonly recency: Recency
  readonly #items = new Map<string, LruItem<Value>>()
  readonly #removed: ((value: Value, key: string) => void) | undefined

  /**
   * @param recency the order of use, which several maps can share
   * @param removed is called with each value that is replaced or removed, for whatever reason
   */
  constructor(recency: Recency, removed?: (value: Value, key: string) => void) {
    this.recency = recency
    this.#removed = removed
  }

  /** The value, which counts as used. */
  get(key: string): Value | undefined {
    return this.item(key)?.value
  }

  /** The value, which does not count as used. */
  peek(key: string): Value | undefined {
    return this.#items.get(key)?.value
  }

  /** The value with its place in the map, which counts as used. */
  item(key: string): LruItem<Value> | undefined {
    const item = this.#items.get(key)
    if (item) this.recency.touch(item)
    return item
  }

  set(key: string, value: Value): void {
    const item = this.item(key)
    if (!item) {
      const added = new LruItem(this, key, value)
      this.#items.set(key, added)
      this.recency.add(added)
    } else if (item.value !== value) {
      const { value: before } = item
      item.value = value
      this.#removed?.(before, key)
    }
  }

  delete(key: string): boolean {
    const item = this.#items.get(key)
    if (!item) return false
    this.#items.delete(key)
    this.recency.remove(item)
    item.map = undefined
    this.#removed?.(item.value, key)
    return true
  }

  clear(): void {
    for (const key of [...this.#items.keys()]) this.delete(key)
  }

  keys(): Iterable<string> {
    return this.#items.keys()
  }

  *entries(): Iterable<[key: string, value: Value]> {
    for (const [key, { value }] of this.#items) yield [key, value]
  }
}
