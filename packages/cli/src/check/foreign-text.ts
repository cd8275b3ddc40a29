const MOST_CHARACTERS = 300
/** Control and format characters, line separators, and halves of surrogate pairs: they forge lines, or move the cursor. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu
/** Three or five parts of base64url, as a JWT has them; or a long run of characters without a space. */
const CREDENTIAL_LIKE = /[\w-]{8,}\.[\w-]{4,}\.[\w-]*(?:\.[\w-]*)*|[\w+/=~-]{60,}/g

/**
 * What servers say, made fit for a report. Texts of servers may quote what was sent to them, hold terminal commands, or be
 * endless.
 */
export class ForeignText {
  readonly #secrets: string[] = []

  /** From now on `secret` is taken out of every text. */
  addSecret(secret: string | undefined): void {
    if (!secret) return
    const form = new URLSearchParams([['', secret]]).toString().slice(1)
    const forms = [secret, form, encodeURIComponent(secret), Buffer.from(secret).toString('base64')]
    this.#secrets.push(...forms, Buffer.from(secret).toString('base64url'))
    // The longest first: a short form may be part of a long one.
    this.#secrets.sort((a, b) => b.length - a.length)
  }

  quote(text: string): string {
    let shown = text.slice(0, 10_000)
    for (const secret of this.#secrets) shown = shown.replaceAll(secret, '[redacted]')
    shown = shown.replace(UNPRINTABLE, ' ').replace(CREDENTIAL_LIKE, '[redacted]')
    return shown.length > MOST_CHARACTERS ? `${shown.slice(0, MOST_CHARACTERS - 1)}…` : shown
  }

  /** A URL without what may be secret in it: user name, password, query and fragment. */
  url(text: string): string {
    if (!URL.canParse(text)) return this.quote(text)
    const { origin, pathname, protocol, host } = new URL(text)
    return this.quote(`${origin === 'null' ? `${protocol}//${host}` : origin}${pathname}`)
  }

  /** A value of JSON, with every text in it quoted. */
  value(value: unknown, depth = 0): unknown {
    if (typeof value === 'string') return this.quote(value)
    if (typeof value !== 'object' || value === null) return value
    if (depth === 5) return '…'
    if (Array.isArray(value)) return value.slice(0, 50).map((each) => this.value(each, depth + 1))
    const entries = Object.entries(value).slice(0, 100)
    return Object.fromEntries(entries.map(([name, each]) => [this.quote(name), this.value(each, depth + 1)]))
  }
}
