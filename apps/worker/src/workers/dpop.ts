import { createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

const CALLS_PER_ROUND = 2

/** Its tokens are bound to a key. A token that is stolen, for example from a log, is useless. See `dpop.client` in tokens.ts. */
export const dpop: Worker = (context) => {
  const { tokens, environment, stop } = context
  const catalog = createFetch(tokens, 'dpop.client', { baseURL: environment.catalogUrl })

  async function work(): Promise<string> {
    const response = await catalog('list', { signal: stop })
    await response.body?.cancel()

    // A thief has the token, but not the key that signs the proof:
    const { value } = await tokens.getAccessToken('dpop.client', { signal: stop })
    const stolen = await fetch(new URL('list', environment.catalogUrl), {
      headers: { authorization: `Bearer ${value}` },
      signal: stop,
    })
    await stolen.body?.cancel()
    return `the catalog responded ${response.status} to the token with its proof, ${stolen.status} to the token alone`
  }

  return everySecond(context, work, CALLS_PER_ROUND)
}
