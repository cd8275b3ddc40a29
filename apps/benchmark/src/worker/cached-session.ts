import type { Library, OpenOptions } from '../libraries/library'
import { callLoop } from './call-loop'
import { callsIn, measure, measurePair, settle } from './measure'
import { numberOf } from './numbers'
import type { Session } from './session'

/** Measures a call that finds its token in the cache, and a bare `async` function that returns a value. */
export async function cachedSession(library: Library, options: OpenOptions): Promise<Session> {
  const open = await library.open(options)
  const { getToken } = open
  if (!getToken) throw new Error(`${library.id} has no call that returns a token`)
  const token = await getToken()
  const bare = async () => token
  const [loopBare, loopCached] = [callLoop(), callLoop()]
  return {
    async step(parameters) {
      const ms = numberOf(parameters, 'ms')
      const bareCalls = await callsIn(ms, (calls) => loopBare(bare, calls))
      const cachedCalls = await callsIn(ms, (calls) => loopCached(getToken, calls))
      await settle()
      const [bareCost, cost] = await measurePair(
        numberOf(parameters, 'round'),
        1,
        () => measure(bareCalls, () => loopBare(bare, bareCalls)),
        () => measure(cachedCalls, () => loopCached(getToken, cachedCalls)),
      )
      return { bareNs: bareCost.ns, ns: cost.ns }
    },
    close: () => open.close?.(),
  }
}
