import type { IdentityProvider } from './identity-provider'
import { type LocalServer, startLocalServer } from './local-server'
import { sendJson } from './send-json'

/**
 * Starts an HTTP server that changes the behavior of a running provider:
 *
 * - `POST /control/revoke`: the APIs reject every token that was issued so far
 * - `POST /control/token-endpoint?delayMs=…&fail=…&status=…`: the token endpoint responds later, or fails. `fail` is the number
 *   of requests, `status` what they get (default 500)
 * - `POST /control/clear`: ends delays and faults
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
      if (delayMs === undefined && times === undefined) throw new RangeError('pass delayMs, fail, or both')
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
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not '${text}'`)
}
