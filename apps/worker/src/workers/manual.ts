import { everySecond, type Worker } from './worker'

/** Asks for the token by hand, and puts it where it is needed. */
export const manual: Worker = (context) => {
  const { tokens, environment, stop } = context

  return everySecond(context, async () => {
    const token = await tokens.getAccessToken('catalog.client', { signal: stop })
    const headers = { authorization: `${token.type} ${token.value}` }
    const response = await fetch(new URL('list', environment.catalog.url), { headers, signal: stop })

    if (response.status === 401) {
      // By hand, this is the caller's business: say so, and the next round gets another token.
      await tokens.rejectAccessToken('catalog.client', token)
      return 'the catalog said 401; the next round takes a new token'
    }
    const items = (await response.json()) as unknown[]
    return `${items.length} items from the catalog`
  })
}
