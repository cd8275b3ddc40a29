import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { createFetch } from '@tokenward/fetch'
import { instrument } from '@tokenward/opentelemetry'
import { catalogTokens, dpopTokens } from '@tokenward/test-support'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { instrumented, recorder } from './support'

beforeAll(() => void context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
afterAll(() => context.disable())

test('a call that waits for a token has a span under that of its caller, and a hit has none', async () => {
  const { tokens, tracerProvider, spans } = instrumented()
  const caller = tracerProvider.getTracer('test').startSpan('job')
  await context.with(trace.setSpan(context.active(), caller), async () => {
    await tokens.getAccessToken('catalog.client')
    await tokens.getAccessToken('catalog.client')
  })
  expect(spans()).toHaveLength(1)
  expect(spans()[0]).toMatchObject({
    name: 'acquire_token catalog.client',
    kind: SpanKind.INTERNAL,
    instrumentationScope: { name: '@tokenward/opentelemetry' },
    parentSpanContext: { spanId: caller.spanContext().spanId },
    attributes: {
      'tokenward.client.name': 'catalog.client',
      'tokenward.retrieval.reason': 'first',
      'tokenward.token.source': 'endpoint',
      'tokenward.token.remaining_lifetime': 100,
    },
    status: { code: SpanStatusCode.UNSET },
    ended: true,
  })
})

test('each caller that waits for the same request has a span of its own', async () => {
  const { tokens, spans } = instrumented()
  await Promise.all([1, 2, 3].map(() => tokens.getAccessToken('catalog.client')))
  expect(tokens.requests).toHaveLength(1)
  expect(spans()).toHaveLength(3)
})

test('a renewal in the background has a trace of its own, with a link to the caller that started it', async () => {
  const { tokens, tracerProvider, spans } = instrumented()
  await tokens.getAccessToken('catalog.client')
  await tokens.clock.advance(81_000)
  const caller = tracerProvider.getTracer('test').startSpan('job')
  await context.with(trace.setSpan(context.active(), caller), () => tokens.getAccessToken('catalog.client'))
  await tokens.clock.advance(0)
  const [, renewal] = spans()
  expect(renewal?.attributes).toMatchObject({ 'tokenward.retrieval.reason': 'ahead' })
  expect(renewal?.parentSpanContext).toBeUndefined()
  expect(renewal?.links).toMatchObject([{ context: { spanId: caller.spanContext().spanId } }])
})

test('a call that gets no token has a span with the error', async () => {
  const { tokens, spans } = instrumented()
  tokens.failNext('catalog.client', { error: 'invalid_scope', errorDescription: 'unknown scope' })
  await tokens.getAccessToken('catalog.client').catch(() => {})
  expect(spans()).toMatchObject([
    {
      attributes: { 'error.type': 'invalid_scope' },
      status: {
        code: SpanStatusCode.ERROR,
        message: expect.stringContaining("no access token for client 'catalog.client'"),
      },
    },
  ])
})

test('a call that its caller aborts has a span without what it was aborted with', async () => {
  const { provider, tokens } = await catalogTokens()
  const { tracerProvider, spans } = recorder()
  instrument(tokens, { tracerProvider })
  provider.tokenEndpointFaults.fail(1, 'hang')
  const reasons = [undefined, Object.assign(new Error('card 4711'), { name: 'card-4711' })]
  const callers = reasons.map((reason) => {
    const controller = new AbortController()
    const call = tokens.getAccessToken('catalog.client', { signal: controller.signal }).catch(() => {})
    return { call, abort: () => controller.abort(reason) }
  })
  await expect.poll(() => provider.tokenRequests.length).toBe(1)
  for (const { call, abort } of callers) {
    abort()
    await call
  }
  const errors = spans().map(({ attributes, status }) => [attributes['error.type'], status])
  expect(errors).toEqual([
    ['AbortError', { code: SpanStatusCode.ERROR }],
    ['_OTHER', { code: SpanStatusCode.ERROR }],
  ])
})

describe('over the spans of the HTTP client', () => {
  /** A trace whose HTTP requests have spans, too. */
  function traced() {
    const { tracerProvider, spans } = recorder()
    const instrumentation = new UndiciInstrumentation()
    instrumentation.setTracerProvider(tracerProvider)
    onTestFinished(() => instrumentation.disable())
    const inSpan = async (name: string, run: (span: Span) => Promise<unknown>) => {
      const span = tracerProvider.getTracer('test').startSpan(name)
      await context.with(trace.setSpan(context.active(), span), () => run(span))
      span.end()
    }
    /** `parent > child` for each span that has a parent. */
    const edges = () => {
      const label = ({ name, attributes }: ReturnType<typeof spans>[number]) =>
        `${name}${attributes['url.path'] ? ` ${attributes['url.path']}` : ''}`
      return spans().flatMap((span) => {
        const parent = spans().find((each) => each.spanContext().spanId === span.parentSpanContext?.spanId)
        return parent ? [`${label(parent)} > ${label(span)}`] : []
      })
    }
    return { tracerProvider, inSpan, edges }
  }

  test('the token request is under the acquisition, which is under the job, as the API request is', async () => {
    const { tokens, api } = await catalogTokens()
    const { tracerProvider, inSpan, edges } = traced()
    instrument(tokens, { tracerProvider })
    const catalog = createFetch(tokens, 'catalog.client', { baseURL: api.baseURL })
    await inSpan('job', async () => (await catalog('list')).text())
    await inSpan('second job', async () => (await catalog('list')).text())
    expect(edges()).toEqual([
      'acquire_token catalog.client > POST /token',
      'job > acquire_token catalog.client',
      'job > GET /catalog/list',
      'second job > GET /catalog/list',
    ])
  })

  test('a token request that is sent again with a nonce is under the acquisition, too', async () => {
    const { provider, start } = await dpopTokens()
    const tokens = start()
    const { tracerProvider, inSpan, edges } = traced()
    instrument(tokens, { tracerProvider })
    provider.requiresNonce = true
    await inSpan('job', () => tokens.getAccessToken('c'))
    expect(edges()).toEqual(['acquire_token c > POST /token', 'acquire_token c > POST /token', 'job > acquire_token c'])
  })
})
