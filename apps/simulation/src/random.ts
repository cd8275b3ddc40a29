/** Random numbers from a seed: the same seed, the same numbers. The generator is sfc32. */
export class Random {
  readonly #seed: string
  #a: number
  #b: number
  #c: number
  #count = 1

  constructor(seed: string | number) {
    this.#seed = String(seed)
    this.#a = hashText(this.#seed, 0x9e3779b9)
    this.#b = hashText(this.#seed, 0x243f6a88)
    this.#c = hashText(this.#seed, 0xb7e15162)
    for (let turn = 0; turn < 15; turn++) this.next()
  }

  /** A generator of its own. What one part of a run draws does not change what another part draws. */
  fork(name: string | number): Random {
    return new Random(`${this.#seed}/${name}`)
  }

  /** From 0 to 1, without 1. */
  readonly next = (): number => {
    const sum = (this.#a + this.#b + this.#count++) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  between(least: number, most: number): number {
    return least + (most - least) * this.next()
  }

  /** Small numbers are as likely as large ones: each factor of ten has the same probability. */
  magnitude(least: number, most: number): number {
    return least * (most / least) ** this.next()
  }

  /** A whole number from 0 to `count` - 1. */
  index(count: number): number {
    return Math.floor(this.next() * count)
  }

  pick<T>(values: readonly T[]): T {
    return values[this.index(values.length)] as T
  }
}

/** FNV-1a over the UTF-16 code units. */
export function hashText(text: string, start: number): number {
  let hash = start
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash >>> 0
}
