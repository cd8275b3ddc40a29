import type { ClientAssertion } from '../../client-assertion'
import type { ClientConfiguration } from '../../client-configuration'
import type { RequestedToken } from '../../token-requester'
import { quotedPieces } from './quoted-pieces'
import { base64Texts, findForms, formEncoded } from './wire-forms'

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
/** Form parameters whose values are credentials, whatever they look like. */
const CREDENTIAL_PARAMETER = /secret|token|assertion|passw|credential|key|code/i
/** A value that reads like a name: `main`, `eu-west`. It would be found within other words. */
const NAME = /^[\p{L}_.:-]{1,20}$/u
/** A value that reads like a key or a token: an unbroken text that has a digit. */
const KEY_OR_TOKEN = /^(?=.*\d)[\w.~+/=-]{16,}$/
/** Headers whose values say nothing secret. The value of every other one counts as a secret. */
const PUBLIC_HEADERS = new Set(['accept', 'accept-language', 'content-length', 'content-type', 'host', 'user-agent'])
/** Where a JWT is quoted in parts, each part as long as this counts as a secret. */
const SHORTEST_PART = 20

/**
 * How a value is looked for:
 *
 * - `anywhere`: also within words, and in part
 * - `whole`: within words, but not in part
 * - `word`: where it stands by itself
 */
type Search = 'anywhere' | 'whole' | 'word'

/**
 * What was secret in the requests of one exchange with an authorization server. It is collected from the requests themselves,
 * so that it holds for every client authentication and grant.
 */
export class SentSecrets {
  readonly #values = new Map<string, Search>()

  add(value: string | undefined, search: Search = 'anywhere'): void {
    if (!value) return
    // A secret out of a file often ends with a line break, which servers drop.
    for (const form of [value, value.trim()]) {
      if (form !== '' && this.#values.get(form) !== 'anywhere') this.#values.set(form, search)
    }
  }

  /**
   * Adds the value of a form parameter, unless that is public. Nobody knows whether a value is secret whose name says nothing,
   * such as `tenant`. If it were looked for like a password, a tenant `main` would leave little of a text about maintenance.
   */
  addParameter(name: string, value: string): void {
    if (PUBLIC_PARAMETERS.has(name)) return
    if (CREDENTIAL_PARAMETER.test(name) || KEY_OR_TOKEN.test(value)) this.#addCredential(value)
    else this.add(value, NAME.test(value) ? 'word' : 'whole')
  }

  /** Adds what is secret in a request that is about to be sent. */
  collect({ headers, body }: { readonly headers?: unknown; readonly body?: unknown }): void {
    for (const [name, value] of new Headers((headers ?? {}) as HeadersInit)) {
      if (!PUBLIC_HEADERS.has(name)) this.#addHeader(value)
    }
    if (!(body instanceof URLSearchParams) && typeof body !== 'string') return
    for (const [name, value] of new URLSearchParams(body)) this.addParameter(name, value)
  }

  /** `text` with each secret replaced by `[redacted]`, in whatever form of {@link findForms} it stands there, or in part. */
  redact(text: string): string {
    try {
      return replaceRanges(text, this.#rangesIn(text))
    } catch {
      // The engine refuses a pattern that is too large for it. Its error quotes the pattern, and so the secret.
      return '[redacted]'
    }
  }

  #rangesIn(text: string): [start: number, end: number][] {
    const found = [...this.#values].flatMap(([value, search]) => findForms(text, value, search === 'word'))
    const anywhere = [...this.#values].filter(([, search]) => search === 'anywhere').map(([value]) => value)
    const written = anywhere.flatMap((value) => [value, formEncoded(value), ...base64Texts(value)])
    return [...found, ...quotedPieces(text, written)]
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

/** What an error of a custom requester must not repeat. Other requesters collect it from what they send. */
export function knownSecrets(
  client: ClientConfiguration,
  parameters: RequestedToken['parameters'],
  clientAssertion: ClientAssertion | undefined,
): SentSecrets {
  const secrets = new SentSecrets()
  for (const [name, value] of Object.entries(parameters)) secrets.addParameter(name, value)
  for (const value of [client.clientSecret, clientAssertion].flat()) {
    if (typeof value === 'string') secrets.add(value)
  }
  return secrets
}

function replaceRanges(text: string, ranges: [start: number, end: number][]): string {
  let shown = ''
  let shownUntil = 0
  for (const [start, end] of ranges.sort(([a], [b]) => a - b)) {
    if (start > shownUntil || shown === '') shown += `${text.slice(shownUntil, start)}[redacted]`
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
