import { type AuthorizedFetch, createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

interface Invoice {
  readonly id: number
  readonly total: number
}

/** An API as a class. It takes an HTTP client and does not care what that does about tokens. */
class InvoiceClient {
  constructor(private readonly http: AuthorizedFetch) {}

  async list(signal?: AbortSignal): Promise<Invoice[]> {
    const response = await this.http('list', { signal: signal ?? null })
    if (!response.ok) throw new Error(`the invoice API answered ${response.status}`)
    return (await response.json()) as Invoice[]
  }
}

export const typedClient: Worker = (context) => {
  const { tokens, environment, stop } = context
  const invoices = new InvoiceClient(createFetch(tokens, 'invoice.client', { baseURL: environment.invoice.url }))

  return everySecond(context, async () => {
    const list = await invoices.list(stop)
    return `${list.length} invoices, ${list.reduce((sum, { total }) => sum + total, 0)} in all`
  })
}
