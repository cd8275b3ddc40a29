import type { TokenRequestStep } from '../../errors'

/** What a token request is doing, so that the error for its time limit can say it. */
export interface RequestProgress {
  readonly step: TokenRequestStep
  readonly url?: string | undefined
  /** The option whose supplier was called. */
  readonly supplier?: string | undefined
}

/** By the signal of the request, which is all that its requester and its time limit have in common. */
const progress = new WeakMap<AbortSignal, RequestProgress>()

export function noteProgress(signal: AbortSignal | undefined, now: RequestProgress): void {
  if (signal) progress.set(signal, now)
}

export function progressOf(signal: AbortSignal | undefined): RequestProgress | undefined {
  return signal && progress.get(signal)
}

/** A URL as an error shows it: without what could be a credential. */
export function shownUrl(url: string): string {
  const { origin, pathname, protocol, host } = new URL(url)
  return origin === 'null' ? `${protocol}//${host}${pathname}` : `${origin}${pathname}`
}
