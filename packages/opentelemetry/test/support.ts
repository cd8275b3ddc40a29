import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { type InstrumentOptions, instrument } from '@tokenward/opentelemetry'
import { createTestTokens } from '@tokenward/testing'
import { onTestFinished } from 'vitest'

/** One time series of a metric: its attributes, and its value. For a histogram the number of values and their sum. */
interface Point {
  readonly attributes: Readonly<Record<string, unknown>>
  readonly value: unknown
}

export interface Metric {
  readonly unit: string
  readonly description: string
  readonly points: readonly Point[]
}

/** Providers of OpenTelemetry's SDK that keep everything in memory. They end with the test. */
export function recorder() {
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  // The test exports by itself; the interval is never over.
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })
  const meterProvider = new MeterProvider({ readers: [reader] })
  const spanExporter = new InMemorySpanExporter()
  const tracerProvider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spanExporter })] })
  onTestFinished(async () => {
    await meterProvider.shutdown()
    await tracerProvider.shutdown()
  })
  return {
    meterProvider,
    tracerProvider,
    /** The ended spans, in the order of their ends. */
    spans: () => spanExporter.getFinishedSpans(),
    /** The metrics that have values, by name. */
    async metrics(): Promise<Readonly<Record<string, Metric>>> {
      metricExporter.reset()
      await meterProvider.forceFlush()
      const scopes = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics)
      const named = scopes
        .flatMap(({ metrics }) => metrics)
        .map(({ descriptor, dataPoints }): [string, Metric] => {
          const points = dataPoints.map(({ attributes, value }) => ({ attributes, value: summary(value) }))
          return [descriptor.name, { unit: descriptor.unit, description: descriptor.description, points }]
        })
      return Object.fromEntries(named)
    },
    /** Everything that was exported, metrics and spans, as text. */
    async exported(): Promise<string> {
      await meterProvider.forceFlush()
      const spans = spanExporter.getFinishedSpans().map(({ name, attributes, events, links, status, resource }) => {
        return { name, attributes, events, links, status, resource: resource.attributes }
      })
      return JSON.stringify([metricExporter.getMetrics(), spans])
    },
  }
}

function summary(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const { count, sum } = value as { count: number; sum: number }
  return { count, sum }
}

/** An instrumented manager with a clock and scripted token requests, and what was recorded of it. */
export function instrumented(options: InstrumentOptions = {}) {
  const tokens = createTestTokens({ clients: { 'catalog.client': { lifetimeMs: 100_000 }, 'invoice.client': {} } })
  onTestFinished(() => tokens.close())
  const { meterProvider, tracerProvider, ...recorded } = recorder()
  const stop = instrument(tokens, { meterProvider, tracerProvider, ...options })
  onTestFinished(stop)
  return { tokens, stop, meterProvider, tracerProvider, ...recorded }
}
