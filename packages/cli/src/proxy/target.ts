/** Where the proxy forwards to: an origin, and a path that all requests stay under. */
export class Target {
  readonly origin: string
  readonly href: string
  /** Ends with a slash. */
  readonly #path: string

  constructor(to: URL) {
    this.origin = to.origin
    this.#path = to.pathname.replace(/\/*$/, '/')
    this.href = to.origin + this.#path
  }

  /** The URL of a request's path. Undefined when its dots lead out of the target's path. */
  resolve(path: string): URL | undefined {
    const url = new URL(this.origin + this.#path.slice(0, -1) + path)
    return url.pathname.startsWith(this.#path) ? url : undefined
  }

  /** The `Location` of a redirect as callers of the proxy need it: below the target, it leads to the proxy again. */
  location(location: string, from: URL): string {
    if (!URL.canParse(location, from)) return location
    const url = new URL(location, from)
    if (url.origin !== this.origin || !url.pathname.startsWith(this.#path)) return url.href
    const rest = url.pathname.slice(this.#path.length)
    // Two slashes at the beginning would name another host.
    return rest.startsWith('/') ? url.href : `/${rest}${url.search}${url.hash}`
  }
}
