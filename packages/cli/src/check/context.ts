import type { ClientSettings } from '../client-settings'
import type { ReadyClient } from '../definition/client-definition'
import { ForeignText } from './foreign-text'
import { readJwt } from './jwt'
import { ObservedTransport } from './observed-transport'
import type { RequestFacts } from './request-facts'

/** What the steps of one check share. */
export class CheckContext {
  readonly text = new ForeignText()
  readonly observed = new ObservedTransport()
  /** The assertion that was sent last. */
  #assertion: string | undefined

  constructor(
    readonly settings: ClientSettings,
    readonly environment: Readonly<Record<string, string | undefined>>,
  ) {}

  noteAssertion(assertion: string): void {
    this.#assertion = assertion
    this.text.addSecret(assertion)
  }

  facts({ method, secrets: [secret] }: ReadyClient): RequestFacts {
    const { settings, observed } = this
    const { metadata, clockAheadSeconds } = observed
    const read = this.#assertion === undefined ? undefined : readJwt(this.#assertion)
    const assertion = read?.format === 'jwt' ? read : undefined
    const shown = metadata && (this.text.value(metadata) as Record<string, unknown>)
    return { settings, method, secret, metadata: shown, clockAheadSeconds, assertion }
  }
}
