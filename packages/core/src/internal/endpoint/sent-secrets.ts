import { anyFormOf, base64Forms } from './wire-forms'

/** Form parameters whose values say nothing secret. The value of every other one counts as a secret. */
const PUBLIC_PARAMETERS = new Set([
  'grant_type',
  'scope',
  'resource',
  'audience',
  'client_id',
  'client_assertion_type',
  'subject_token_type',
  'actor_token_type',
  'requested_token_type',
  'token_type_hint',
])
/** Headers whose values say nothing secret. The value of every other one counts as a secret. */
const PUBLIC_HEADERS = new Set(['accept', 'accept-language', 'content-length', 'content-type', 'host', 'user-agent'])
/** Where a JWT is quoted in parts, each part as long as this counts as a secret. */
const SHORTEST_PART = 20

/**
 * What was secret in the requests of one exchange with an authorization server. It is collected from the requests themselves,
 * so that it holds for every client authentication and grant.
 */
export class SentSecrets {
  readonly #values = new Set<string>()

  add(value: string | undefined): void {
    if (!value) return
    this.#values.add(value)
    // A secret out of a file often ends with a line break, which servers drop.
    if (value.trim() !== '') this.#values.add(value.trim())
  }

  /** Adds what is secret in a request that is about to be sent. */
  collect({ headers, body }: { readonly headers?: unknown; readonly body?: unknown }): void {
    for (const [name, value] of new Headers((headers ?? {}) as HeadersInit)) {
      if (!PUBLIC_HEADERS.has(name)) this.#addHeader(value)
    }
    if (!(body instanceof URLSearchParams) && typeof body !== 'string') return
    for (const [name, value] of new URLSearchParams(body)) {
      if (!PUBLIC_PARAMETERS.has(name)) this.#addCredential(value)
    }
  }

  /** `text` with each secret replaced by `[redacted]`, in whatever form of {@link anyFormOf} it stands there. */
  redact(text: string): string {
    const ranges: [start: number, end: number][] = []
    for (const value of this.#values) {
      for (const form of [anyFormOf(value), ...base64Forms(value)]) {
        for (const { index, 0: found } of text.matchAll(form)) ranges.push([index, index + found.length])
      }
    }
    return replaceRanges(text, ranges)
  }

  #addHeader(value: string): void {
    const [scheme = '', credentials] = value.split(/ (.*)/s)
    this.#addCredential(credentials ?? value)
    if (credentials === undefined || scheme.toLowerCase() !== 'basic') return
    // RFC 6749 §2.3.1: both parts are form-encoded before they are joined.
    const [, password] = decodeBase64(credentials).split(/:(.*)/s)
    this.add(password)
    this.add(password && decodeForm(password))
  }

  #addCredential(value: string): void {
    this.add(value)
    const parts = value.split('.')
    if (parts.length > 1) for (const part of parts) if (part.length >= SHORTEST_PART) this.add(part)
  }
}

function replaceRanges(text: string, ranges: [start: number, end: number][]): string {
  let shown = ''
  let shownUntil = 0
  for (const [start, end] of ranges.sort(([a], [b]) => a - b)) {
    if (start >= shownUntil) shown += `${text.slice(shownUntil, start)}[redacted]`
    shownUntil = Math.max(shownUntil, end)
  }
  return shown + text.slice(shownUntil)
}

function decodeBase64(text: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)))
  } catch {
    return ''
  }
}

function decodeForm(text: string): string {
  return new URLSearchParams(`value=${text.replaceAll('&', '%26')}`).get('value') ?? ''
}
