import { type Attributes, type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { ConfigurationError, type ConfigurationProblem, type TokenManager } from '@tokenward/core'
import { boundedValues } from './bounded-values'
import { recordMetrics } from './record-metrics'
import { recordSpans } from './record-spans'

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Where metrics go. Default: the global provider, even one that is set later. */
  meterProvider?: MeterProvider | undefined
  /** Where spans go. Default: the global provider, even one that is set later. */
  tracerProvider?: TracerProvider | undefined
  /** Attributes of every metric and span, for example to tell two managers of one process apart. Default: none. */
  attributes?: Attributes | undefined
  /**
   * How many clients have a name of their own in metrics and in the names of spans. Each client has about 50 time series. Clients
   * that are first seen later share the name `_OTHER`. Default 200.
   */
  maxClients?: number | undefined
}

/** What a token manager must have to be instrumented. Every `TokenManager` has it. */
export type InstrumentedTokens = Pick<TokenManager, 'on' | 'status' | 'aroundAcquisition'>

const OPTIONS = [
  'meterProvider',
  'tracerProvider',
  'attributes',
  'maxClients',
] as const satisfies readonly (keyof InstrumentOptions)[]
const MAX_CLIENTS = 200

const instrumented = new WeakSet<InstrumentedTokens>()

/**
 * Records metrics and spans of a token manager with OpenTelemetry. They hold no token and no secret.
 *
 * @example
 * const stop = instrument(tokens)
 *
 * @returns a function that ends the recording
 * @throws ConfigurationError when an option is wrong, `tokens` is not a token manager, or it is instrumented already: everything
 * would be counted twice. Call the function that the first `instrument` returned, then it can be instrumented again.
 */
export function instrument(tokens: InstrumentedTokens, options: InstrumentOptions = {}): () => void {
  const { meterProvider, tracerProvider, attributes = {}, maxClients = MAX_CLIENTS } = checked(tokens, options)
  const shared = { attributes: Object.freeze({ ...attributes }), nameOf: boundedValues(maxClients) }
  const stopMetrics = recordMetrics(tokens, () => meterProvider ?? metrics.getMeterProvider(), shared)
  const stopSpans = recordSpans(tokens, () => tracerProvider ?? trace.getTracerProvider(), shared)
  instrumented.add(tokens)
  let stopped = false
  return () => {
    if (stopped) return
    stopped = true
    stopMetrics()
    stopSpans()
    instrumented.delete(tokens)
  }
}

/** A copy of the options, so that what was checked is what is used. */
function checked(tokens: InstrumentedTokens, options: InstrumentOptions): InstrumentOptions {
  const copy = { ...options }
  const { meterProvider, tracerProvider, maxClients } = copy
  const problems: ConfigurationProblem[] = []
  const refuse = (option: string, message: string) => void problems.push({ option, message })
  for (const option of Object.keys(copy).filter((name) => !OPTIONS.some((known) => known === name))) {
    refuse(option, `is not an option of instrument; known: ${OPTIONS.join(', ')}`)
  }
  if (typeof tokens?.aroundAcquisition !== 'function') {
    refuse('tokens', 'must be a token manager; createTokenManager makes one')
  } else if (instrumented.has(tokens)) {
    refuse(
      'tokens',
      'is instrumented already; call the function that the first instrument returned before you do it again',
    )
  }
  if (meterProvider !== undefined && typeof meterProvider?.getMeter !== 'function') {
    refuse('meterProvider', 'must have a method getMeter, as a MeterProvider of OpenTelemetry has')
  }
  if (tracerProvider !== undefined && typeof tracerProvider?.getTracer !== 'function') {
    refuse('tracerProvider', 'must have a method getTracer, as a TracerProvider of OpenTelemetry has')
  }
  if (maxClients !== undefined && !(Number.isInteger(maxClients) && maxClients >= 0)) {
    refuse('maxClients', `must be a whole number from 0, not ${maxClients}`)
  }
  if (problems.length > 0) throw new ConfigurationError(problems)
  return copy
}
