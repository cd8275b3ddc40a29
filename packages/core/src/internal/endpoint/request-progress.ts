import type { TokenRequestStep } from '../../errors'

/** What a token request is doing, so that the error for its time limit can say it. */
export interface RequestProgress {
  readonly step: TokenRequestStep
  readonly url?: string | undefined
  /** The option whose supplier was called. */
  readonly supplier?: string | undefined
}

/** By the signal of the request, which is all that its requester and its time limit have in common. */
const progress = new WeakMap<AbortSignal, { now: RequestProgress }>()

export function noteProgress(signal: AbortSignal | undefined, now: RequestProgress): void {
  const noted = signal && progress.get(signal)
  if (noted) noted.now = now
  else if (signal) progress.set(signal, { now })
}

export function progressOf(signal: AbortSignal | undefined): RequestProgress | undefined {
  return signal && progress.get(signal)?.now
}

/** From now on, what is noted for `part` is noted for `whole` too. */
export function shareProgress(whole: AbortSignal, part: AbortSignal): void {
  const noted = progress.get(whole) ?? { now: { step: 'token_request' } }
  progress.set(whole, noted)
  progress.set(part, noted)
}

/** A URL as an error shows it: without what could be a credential. */
export function shownUrl(url: string): string {
  const { origin, pathname, protocol, host } = new URL(url)
  return origin === 'null' ? `${protocol}//${host}${pathname}` : `${origin}${pathname}`
}
