import type { Attributes, BatchObservableCallback, MeterProvider } from '@opentelemetry/api'
import type { TokenEvents, TokenManager } from '@tokenward/core'
import {
  ALLOWED,
  CIRCUIT,
  CLIENT,
  ERROR_TYPE,
  KNOWN_ERRORS,
  OPERATION,
  OUTCOME,
  REASON,
  REJECTION_REASON,
  RENEWED,
  REQUESTED_BY,
  SERVER_ADDRESS,
  SOURCE,
  STATE,
} from './attributes'
import { boundedValues } from './bounded-values'
import { createInstruments, type Instruments } from './instruments'
import { observeStatus } from './observe-status'
import { UsageByClient } from './usage'

/** How many unusual errors, and how many APIs, have time series of their own. */
const MOST_OTHER_VALUES = 20

/** What metrics and spans of one manager have in common. */
export interface Shared {
  readonly attributes: Readonly<Attributes>
  /** The name of a client in metrics and spans. */
  readonly nameOf: (client: string) => string
}

/**
 * Records the metrics of a token manager.
 *
 * @param provider returns the current provider, because the global one may be set later
 * @returns a function that ends the recording
 */
export function recordMetrics(
  tokens: Pick<TokenManager, 'on' | 'status'>,
  provider: () => MeterProvider,
  { attributes: shared, nameOf }: Shared,
): () => void {
  const usage = new UsageByClient()
  const errorType = boundedValues(MOST_OTHER_VALUES, KNOWN_ERRORS)
  const storeError = boundedValues(MOST_OTHER_VALUES, ['timeout', 'invalid_entry'])
  const address = boundedValues(MOST_OTHER_VALUES)
  const of = (name: string, attributes?: Attributes): Attributes => ({ ...shared, [CLIENT]: name, ...attributes })
  const apiOf = (client: string, origin: string | undefined, attributes?: Attributes): Attributes => {
    const api = origin !== undefined && URL.canParse(origin) && { [SERVER_ADDRESS]: address(new URL(origin).hostname) }
    return of(nameOf(client), { ...api, ...attributes })
  }

  const observe: BatchObservableCallback = (result) => {
    const { circuitState, failingTokens, requestsPerLifetime } = instruments.current()
    for (const [name, { circuits, failingValid, failingUnavailable }] of observeStatus(tokens.status(), nameOf)) {
      result.observe(failingTokens, failingValid, of(name, { [STATE]: 'valid' }))
      result.observe(failingTokens, failingUnavailable, of(name, { [STATE]: 'unavailable' }))
      for (const [state, count] of Object.entries(circuits)) {
        result.observe(circuitState, count, of(name, { [CIRCUIT]: state }))
      }
    }
    for (const [name, ratio] of usage.requestsPerLifetime()) result.observe(requestsPerLifetime, ratio, of(name))
  }
  const instruments = currentInstruments(provider, observe)
  // Created now, so that the observed metrics exist before the first event.
  instruments.current()

  const listeners: { readonly [Name in keyof TokenEvents]?: (event: TokenEvents[Name]) => void } = {
    tokenUsed({ client, source, remainingMs }) {
      const { uses, remainingLifetime } = instruments.current()
      const name = nameOf(client)
      uses.add(1, of(name, { [SOURCE]: source }))
      remainingLifetime.record(remainingMs / 1_000, of(name))
    },
    tokenRetrieved({ client, source, reason, durationMs, lifetimeMs }) {
      const { retrievalDuration, lifetime, requests } = instruments.current()
      const name = nameOf(client)
      retrievalDuration.record(durationMs / 1_000, of(name, { [SOURCE]: source, [REASON]: reason }))
      lifetime.record(lifetimeMs / 1_000, of(name))
      usage.countRetrieval(name, reason)
      if (source !== 'endpoint') return
      usage.countRequest(name)
      requests.add(1, of(name, { [REASON]: reason, [OUTCOME]: 'success' }))
    },
    tokenRequestFailed({ client, error, reason }) {
      const name = nameOf(client)
      usage.countRequest(name)
      const why = reason && { [REASON]: reason }
      const outcome = { [OUTCOME]: 'failure', [ERROR_TYPE]: errorType(error.error) }
      instruments.current().requests.add(1, of(name, { ...outcome, ...why }))
    },
    tokenRejected({ client, origin, willRenew, reason }) {
      const why = reason && { [REJECTION_REASON]: reason }
      instruments.current().rejections.add(1, apiOf(client, origin, { [RENEWED]: willRenew, ...why }))
    },
    stepUpDemanded({ client, origin, reason, isAllowed }) {
      const attributes = { [REJECTION_REASON]: reason, [ALLOWED]: isAllowed }
      instruments.current().stepUps.add(1, apiOf(client, origin, attributes))
    },
    newTokenRejected({ client, origin }) {
      instruments.current().newTokenRejections.add(1, apiOf(client, origin))
    },
    nonceRetried({ client, at }) {
      instruments.current().nonceRetries.add(1, of(nameOf(client), { [REQUESTED_BY]: at }))
    },
    storeFailed({ operation, reason }) {
      const attributes = { ...shared, [OPERATION]: operation, [ERROR_TYPE]: storeError(reason) }
      instruments.current().storeFailures.add(1, attributes)
    },
  }
  const unsubscribe = Object.entries(listeners).map(([name, listener]) =>
    tokens.on(name as keyof TokenEvents, listener as (event: unknown) => void),
  )
  return () => {
    for (const stop of unsubscribe) stop()
    instruments.stop()
  }
}

/** The instruments of the current provider. `observe` is called by that provider only. */
function currentInstruments(provider: () => MeterProvider, observe: BatchObservableCallback) {
  let known: { readonly provider: MeterProvider; readonly instruments: Instruments } | undefined
  const stop = () => {
    if (known) known.instruments.meter.removeBatchObservableCallback(observe, known.instruments.observed)
    known = undefined
  }
  return {
    stop,
    current(): Instruments {
      const now = provider()
      if (known?.provider === now) return known.instruments
      stop()
      const instruments = createInstruments(now)
      instruments.meter.addBatchObservableCallback(observe, instruments.observed)
      known = { provider: now, instruments }
      return instruments
    },
  }
}
