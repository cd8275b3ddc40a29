/** A base without credentials, a query or a fragment. */
const BASE = /^https?:\/\/[\w\-.:[\]]+(\/[\w\-.~/%]*)?$/

/** Joins usual paths to usual bases as axios does, for less than `getUri`, which merges whole configs. */
export class JoinedPaths {
  #base: unknown
  /** The base with one slash at its end, if it is a usual one. */
  #start: string | undefined

  /** The URL of a path below a base; undefined for all that is not usual. */
  join(base: string | undefined, path: string | undefined): string | undefined {
    if (base !== this.#base) {
      this.#base = base
      this.#start = typeof base === 'string' && BASE.test(base) ? `${base.replace(/\/+$/, '')}/` : undefined
    }
    if (this.#start === undefined || typeof path !== 'string' || !isPath(path)) return undefined
    return this.#start + (path.startsWith('/') ? path.slice(1) : path)
  }
}

/** Whether it can only be a path: it has neither a scheme nor a host. */
function isPath(text: string): boolean {
  return text !== '' && !text.includes(':') && !text.startsWith('//') && !text.includes('\\')
}
