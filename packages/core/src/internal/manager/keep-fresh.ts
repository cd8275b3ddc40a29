import type { Clock } from '../../clock'
import type { Unsubscribe } from '../../events'
import type { KeepFreshCallback, KeepFreshOptions } from '../../keep-fresh'
import type { TokenParameters } from '../../token-parameters'
import type { ManagedClient } from '../clients/managed-client'
import { mergeRequested } from '../clients/resolved-request'
import type { EventEmitter } from '../util/event-emitter'
import { OptionChecks, Problems } from '../util/option-checks'
import { snapshotParameters } from '../util/token-parameters'
import { type KeptToken, TokenKeeper } from './token-keeper'

export interface KeepFreshContext {
  readonly clock: Clock
  readonly random: () => number
  readonly events: EventEmitter
  /** Aborts when the manager is closed. */
  readonly closing: AbortSignal
  lookUp(client: string, options: TokenParameters & { signal: AbortSignal }): Promise<KeptToken>
}

/**
 * Starts to keep a token fresh.
 *
 * @param client the client's definition, if it is loaded
 * @throws ConfigurationError when the options are wrong
 */
export function keepFresh(
  { clock, random, events, closing, lookUp }: KeepFreshContext,
  name: string,
  client: ManagedClient | undefined,
  callback: KeepFreshCallback,
  options: KeepFreshOptions,
): Unsubscribe {
  const problems = new Problems()
  const checks = new OptionChecks(problems, name)
  if (typeof callback !== 'function') checks.problem('callback', 'must be a function that takes a token')
  if (!checks.object('options', options)) problems.throwIfAny()
  const { onError, ...given } = options
  checks.function('onError', onError)
  if ('forceRenewal' in given) checks.problem('forceRenewal', 'cannot be set here: the token is renewed when it is due')
  problems.throwIfAny()
  const parameters = snapshotParameters(given)
  // The options of a client whose definition is loaded late are checked by the first look-up.
  if (client) mergeRequested(client.configuration, parameters)
  const keeper = new TokenKeeper({
    client: name,
    clock,
    random,
    events,
    callback,
    onError,
    lookUp: (signal) => lookUp(name, { ...parameters, signal }),
  })
  const stop = () => {
    closing.removeEventListener('abort', stop)
    keeper.stop()
  }
  closing.addEventListener('abort', stop, { once: true })
  keeper.look()
  return stop
}
