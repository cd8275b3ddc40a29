import type { MeterProvider } from '@opentelemetry/api'
import { SCOPE } from './attributes'

/** In seconds, which is OpenTelemetry's unit for durations: from a fast local endpoint to one that is retried for half a minute. */
const DURATION_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** In seconds: from a token that expires soon to one that lives for a day. */
const LIFETIME_BUCKETS = [1, 5, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 21_600, 86_400]

/** The instruments of one meter provider. */
export type Instruments = ReturnType<typeof createInstruments>

export function createInstruments(provider: MeterProvider) {
  const meter = provider.getMeter(SCOPE)
  const circuitState = meter.createObservableUpDownCounter('tokenward.circuit.state', {
    unit: '{circuit}',
    description: "The circuit breaker of the client's token endpoint: 1 for the state that it is in, 0 for the others.",
  })
  const failingTokens = meter.createObservableUpDownCounter('tokenward.token.failing', {
    unit: '{token}',
    description: 'Tokens that cannot be renewed: those that are still valid, and those that are unavailable.',
  })
  const requestsPerLifetime = meter.createObservableGauge('tokenward.token.requests_per_lifetime', {
    unit: '{request}',
    description: 'Token requests of this process for each token that it used. The sum over a fleet should be 1.',
  })
  return {
    meter,
    circuitState,
    failingTokens,
    requestsPerLifetime,
    /** The instruments that are read when metrics are collected. */
    observed: [circuitState, failingTokens, requestsPerLifetime],
    uses: meter.createCounter('tokenward.token.uses', {
      unit: '{use}',
      description: 'Calls that got a token, by where the token came from.',
    }),
    remainingLifetime: meter.createHistogram('tokenward.token.remaining_lifetime', {
      unit: 's',
      description: 'The remaining lifetime of tokens when they were used.',
      advice: { explicitBucketBoundaries: LIFETIME_BUCKETS },
    }),
    lifetime: meter.createHistogram('tokenward.token.lifetime', {
      unit: 's',
      description: 'The whole lifetime of tokens that were retrieved.',
      advice: { explicitBucketBoundaries: LIFETIME_BUCKETS },
    }),
    retrievalDuration: meter.createHistogram('tokenward.retrieval.duration', {
      unit: 's',
      description: 'How long it took to get a token from the token endpoint or the store, with all waits and retries.',
      advice: { explicitBucketBoundaries: DURATION_BUCKETS },
    }),
    requests: meter.createCounter('tokenward.token.requests', {
      unit: '{request}',
      description: 'Token requests by reason and outcome; failed ones by error.',
    }),
    rejections: meter.createCounter('tokenward.api.rejections', {
      unit: '{rejection}',
      description:
        'Tokens that an API rejected (401). Renewed: a new token is requested, and the request is sent again.',
    }),
    newTokenRejections: meter.createCounter('tokenward.api.new_token_rejections', {
      unit: '{rejection}',
      description: 'APIs that rejected one new token after the other: they, or the definition, are misconfigured.',
    }),
    stepUps: meter.createCounter('tokenward.api.step_ups', {
      unit: '{demand}',
      description: 'Demands of an API for a stronger token. Allowed: it is requested, and the request is sent again.',
    }),
    nonceRetries: meter.createCounter('tokenward.nonce.retries', {
      unit: '{retry}',
      description: 'Requests that were sent once more with the DPoP nonce that a server demanded.',
    }),
    storeFailures: meter.createCounter('tokenward.store.failures', {
      unit: '{failure}',
      description: 'Calls of the token store that failed, by operation and error.',
    }),
  }
}
