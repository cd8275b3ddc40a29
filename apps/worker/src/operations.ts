import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import type { ManagerStatus, TokenManager } from '@tokenward/core'
import { instrument } from '@tokenward/opentelemetry'

/** A server for those who operate a worker. It listens on 127.0.0.1 only. */
export interface Operations {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string
  close(): Promise<void>
}

/**
 * Serves the metrics of a token manager (`/metrics`), and whether the worker is ready (`/ready`).
 *
 * @param port 0: any free port
 * @throws Error when the port is in use
 */
export async function startOperations(
  tokens: Pick<TokenManager, 'on' | 'status' | 'aroundAcquisition'>,
  port: number,
): Promise<Operations> {
  // It starts no server of its own, because the readiness is on the same port.
  const exporter = new PrometheusExporter({ preventServerStart: true })
  const meterProvider = new MeterProvider({ readers: [exporter] })
  const stop = instrument(tokens, { meterProvider })
  const server = createServer((request, response) => {
    if (request.url === '/metrics') return exporter.getMetricsRequestHandler(request, response)
    if (request.url !== '/ready') return response.writeHead(404).end()
    const status = tokens.status()
    response.writeHead(isReady(status) ? 200 : 503, { 'content-type': 'application/json' }).end(JSON.stringify(status))
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      stop()
      server.closeAllConnections()
      server.close()
      await meterProvider.shutdown()
    },
  }
}

/** Ready: every token that was asked for can be had, or is still valid. A failing store does not stop the worker. */
function isReady({ isClosed, clients }: ManagerStatus): boolean {
  const tokens = Object.values(clients).flatMap((client) => client.tokens)
  return !isClosed && tokens.every(({ lastError, state }) => !lastError || state === 'valid' || state === 'rejected')
}
