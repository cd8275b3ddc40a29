import type { CustomFetch } from 'openid-client'
import type { ClientConfiguration } from '../../client-configuration'
import type { TokenRequestError, TokenRequestStep } from '../../errors'
import type { TokenRequest } from '../../token-requester'
import { maySendSecretsTo } from '../util/plain-http'
import { boundedResponse } from './bounded-response'
import { noteProgress, shownUrl } from './request-progress'
import { parseHttpDate } from './retry-after'
import { SentSecrets } from './sent-secrets'
import { presentable } from './server-text'
import { tokenRequestFailure } from './token-request-failure'
import { type ResponseMembers, withoutUnusedMembers } from './token-response-body'
import { InsecureEndpoint } from './transport-errors'

type ExchangeClient = Pick<ClientConfiguration, 'name' | 'fetch' | 'allowInsecureRequests'>

/**
 * One exchange with an authorization server: every request that one token request or one revocation takes. It holds what they
 * have in common: the rules for the transport, what was secret, and where a failure happened.
 */
export class Exchange {
  readonly #client: ExchangeClient
  readonly #signal: AbortSignal
  readonly #serverTime: ((ms: number) => void) | undefined
  readonly #sending: (() => void) | undefined
  readonly #secrets = new SentSecrets()
  #at: { readonly step: TokenRequestStep; readonly url: string } | undefined

  constructor(
    client: ExchangeClient,
    { signal, serverTime, sending }: Pick<TokenRequest, 'signal' | 'serverTime' | 'sending'>,
  ) {
    this.#client = client
    this.#signal = signal
    this.#serverTime = serverTime
    this.#sending = sending
  }

  /** Texts that no error may repeat, even if they are not sent. */
  addSecrets(secrets: readonly string[]): void {
    for (const secret of secrets) this.#secrets.add(secret)
  }

  /**
   * The client's transport, as openid-client uses it for `step`. Each URL obeys the plain-http rule, no redirect is followed,
   * the signal ends the request, and the response is in memory.
   *
   * @param received see {@link withoutUnusedMembers}
   */
  transport(step: TokenRequestStep, received?: (members: ResponseMembers) => void): CustomFetch {
    return async (input, options) => {
      const url = new URL(input)
      this.#at = { step, url: shownUrl(input) }
      const isHttp = url.protocol === 'https:' || url.protocol === 'http:'
      if (!isHttp || !maySendSecretsTo(url, this.#client.allowInsecureRequests)) throw new InsecureEndpoint()
      this.#secrets.collect(options)
      noteProgress(this.#signal, this.#at)
      const init = { ...options, redirect: 'manual', signal: this.#signal } as RequestInit
      if (step === 'token_request') this.#sending?.()
      const response = await boundedResponse(await this.#client.fetch(input, init), this.#signal)
      if (step !== 'token_request') return response
      this.#noteServerTime(response)
      return withoutUnusedMembers(response, received)
    }
  }

  /** A text of the server's as it may stand in an error: without what was secret in the requests. */
  quote(text: string): string {
    return presentable(text, this.#secrets)
  }

  /** What went wrong, in an error that holds no secret. */
  failure(thrown: unknown): Promise<TokenRequestError> {
    return tokenRequestFailure(this.#client.name, thrown, this.#secrets, this.#at)
  }

  #noteServerTime({ ok, headers }: Response): void {
    // An error may come from something on the way, whose clock is another one.
    const ms = ok ? parseHttpDate(headers.get('date')) : undefined
    if (ms !== undefined) this.#serverTime?.(ms)
  }
}
