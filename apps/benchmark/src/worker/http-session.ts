import type { Library, OpenOptions } from '../libraries/library'
import { requestToken } from '../libraries/request-token'
import { callConcurrently, measure, measurePair } from './measure'
import { numberOf } from './numbers'
import type { Session } from './session'

const REQUESTS_PER_BLOCK = 200

/** Measures requests by one HTTP client: with the library, and with a fixed header. */
export async function httpSession(library: Library, options: OpenOptions): Promise<Session> {
  const open = await library.open(options)
  const authorization = `Bearer ${(await requestToken({ ...options, clientId: 'fixed-header' })).access_token}`
  const calls = { plain: open.requestWithHeader(authorization), authorized: () => open.request() }
  for (const [kind, call] of Object.entries(calls)) {
    const status = await call()
    if (status !== 200) throw new Error(`${library.id}: the ${kind} request got the status ${status}`)
  }
  return {
    async step(parameters) {
      const requests = numberOf(parameters, 'requests')
      const blocks = Math.max(1, Math.round(requests / REQUESTS_PER_BLOCK))
      const perBlock = requests / blocks
      const concurrency = numberOf(parameters, 'concurrency')
      const costOf = (call: () => Promise<unknown>) =>
        measure(perBlock, () => callConcurrently(call, perBlock, concurrency))
      const [plain, authorized] = await measurePair(
        numberOf(parameters, 'round'),
        blocks,
        () => costOf(calls.plain),
        () => costOf(calls.authorized),
      )
      return { plainNs: plain.ns, plainCpuNs: plain.cpuNs, ns: authorized.ns, cpuNs: authorized.cpuNs }
    },
    close: () => open.close?.(),
  }
}
