import type { IdentityProvider } from './identity-provider'
import { type LocalServer, startLocalServer } from './local-server'
import { sendJson } from './send-json'

/**
 * Lets somebody at a terminal change how a running provider behaves: `POST /control/revoke`, `POST /control/clear`,
 * `POST /control/token-endpoint?delayMs=…&fail=…&status=…` (milliseconds, requests, 500 unless told otherwise).
 */
export async function startControlServer(provider: IdentityProvider, port = 0): Promise<LocalServer> {
  const server = await startLocalServer(port)
  const { tokenEndpointFaults } = provider
  const commands: Record<string, (query: URLSearchParams) => object> = {
    '/control/revoke': () => ({ revoked: provider.revokeIssued() }),
    '/control/clear'() {
      tokenEndpointFaults.clear()
      return { cleared: true }
    },
    '/control/token-endpoint'(query) {
      const delayMs = wholeNumber(query, 'delayMs', 0, 600_000)
      const times = wholeNumber(query, 'fail', 1, 1_000_000)
      const status = wholeNumber(query, 'status', 200, 599) ?? 500
      if (delayMs === undefined && times === undefined) throw new RangeError('delayMs or fail is needed')
      if (delayMs !== undefined) tokenEndpointFaults.delayMs = delayMs
      if (times !== undefined) tokenEndpointFaults.fail(times, { status })
      return { delayMs: tokenEndpointFaults.delayMs, ...(times === undefined ? {} : { fail: times, status }) }
    },
  }

  server.serve((request, response) => {
    const [path = '', query] = (request.url ?? '').split('?')
    const command = Object.hasOwn(commands, path) ? commands[path] : undefined
    if (!command) return sendJson(response, 404, { error: 'not_found', known: Object.keys(commands) })
    if (request.method !== 'POST') return sendJson(response, 405, { error: 'post_only' }, { allow: 'POST' })
    try {
      sendJson(response, 200, command(new URLSearchParams(query)))
    } catch (error) {
      sendJson(response, 400, { error: error instanceof Error ? error.message : String(error) })
    }
  })
  return server
}

function wholeNumber(query: URLSearchParams, name: string, least: number, most: number): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= least && value <= most) return value
  throw new RangeError(`${name} is a whole number from ${least} to ${most}, not '${text}'`)
}
