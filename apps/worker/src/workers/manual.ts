import { everySecond, type Worker } from './worker'

/** Gets a token by hand and sends it. Use this for an HTTP client that has no adapter. */
export const manual: Worker = (context) => {
  const { tokens, environment, stop } = context

  return everySecond(context, async () => {
    const token = await tokens.getAccessToken('catalog.client', { signal: stop })
    const response = await fetch(new URL('list', environment.catalogUrl), {
      headers: { authorization: `${token.type} ${token.value}` },
      signal: stop,
    })

    if (response.status === 401) {
      await response.body?.cancel()
      // An adapter does this by itself, and sends the request again.
      await tokens.rejectAccessToken('catalog.client', token)
      return 'the catalog responded 401: the next round gets a new token'
    }
    if (!response.ok) {
      await response.body?.cancel()
      throw new Error(`the catalog responded ${response.status}`)
    }
    const items = (await response.json()) as unknown[]
    return `${items.length} items from the catalog`
  })
}
