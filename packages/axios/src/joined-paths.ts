/** A base without credentials, a query or a fragment. */
const BASE = /^https?:\/\/[\w\-.:[\]]+(\/[\w\-.~/%]*)?$/

/** Joins usual paths to usual bases as axios does, for less than `getUri`, which merges whole configs. */
export class JoinedPaths {
  #base: unknown
  /** The base with one slash at its end, if it is a usual one. */
  #start: string | undefined
  #lastPath: string | undefined
  /** The URL of the last path. The same text again: to compare it with itself costs nothing. */
  #lastUrl = ''

  /** The URL of a path below a base; undefined for all that is not usual. */
  join(base: string | undefined, path: string | undefined): string | undefined {
    if (base !== this.#base) {
      this.#base = base
      this.#lastPath = undefined
      this.#start = typeof base === 'string' && BASE.test(base) ? `${base.replace(/\/+$/, '')}/` : undefined
    }
    if (this.#start === undefined || typeof path !== 'string') return undefined
    if (path === this.#lastPath) return this.#lastUrl
    if (!isPath(path)) return undefined
    this.#lastPath = path
    this.#lastUrl = this.#start + (path.startsWith('/') ? path.slice(1) : path)
    return this.#lastUrl
  }
}

/** Whether it can only be a path: it has neither a scheme nor a host. */
function isPath(text: string): boolean {
  return text !== '' && !text.includes(':') && !text.startsWith('//') && !text.includes('\\')
}
