import { context, type Span, type SpanOptions, SpanStatusCode, type TracerProvider, trace } from '@opentelemetry/api'
import { type AcquisitionHook, TokenRequestError, type TracedTokens } from '@tokenward/core'
import { CLIENT, ERROR_TYPE, REASON, REMAINING, SCOPE, SOURCE } from './attributes'
import { OTHER } from './bounded-values'
import type { Shared } from './record-metrics'

/**
 * Records a span for each acquisition of a token.
 *
 * @param provider returns the current provider, because the global one may be set later
 * @returns a function that ends the recording
 */
export function recordSpans(
  tokens: TracedTokens,
  provider: () => TracerProvider,
  { attributes: shared, nameOf }: Shared,
): () => void {
  const hook: AcquisitionHook = ({ client, reason, isBackground }, acquire) => {
    const caller = context.active()
    const callersSpan = trace.getSpanContext(caller)
    // A renewal in the background outlives the caller that started it, so it has a trace of its own, with a link.
    const links = isBackground && callersSpan ? [{ context: callersSpan }] : []
    const options: SpanOptions = {
      attributes: { ...shared, [CLIENT]: client, [REASON]: reason },
      root: isBackground,
      links,
    }
    const span = provider()
      .getTracer(SCOPE)
      .startSpan(`acquire_token ${nameOf(client)}`, options, caller)
    return context.with(trace.setSpan(caller, span), async () => {
      try {
        const { source, remainingMs } = await acquire()
        span.setAttributes({ [SOURCE]: source, [REMAINING]: remainingMs / 1_000 })
      } catch (error) {
        setError(span, error)
      } finally {
        span.end()
      }
    })
  }
  return tokens.aroundAcquisition(hook)
}

/** What a caller's signal is aborted with by default, and by `AbortSignal.timeout`. */
const ABORT_NAMES: readonly string[] = ['AbortError', 'TimeoutError']

function setError(span: Span, error: unknown): void {
  if (error instanceof TokenRequestError) {
    span.setAttribute(ERROR_TYPE, error.error)
    span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
  } else {
    // Only the names of the platform's own errors, because a caller can abort with an error that says anything.
    const name = ABORT_NAMES.find((each) => error instanceof Error && error.name === each)
    span.setAttribute(ERROR_TYPE, name ?? OTHER)
    span.setStatus({ code: SpanStatusCode.ERROR })
  }
}
