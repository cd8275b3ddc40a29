import { type AuthorizedFetch, createFetch } from '@tokenward/fetch'
import { everySecond, type Worker } from './worker'

interface Invoice {
  readonly id: number
  readonly total: number
}

/** An API as a class. The class gets an HTTP client and knows nothing about tokens. */
class InvoiceClient {
  constructor(private readonly http: AuthorizedFetch) {}

  async list(signal: AbortSignal): Promise<Invoice[]> {
    const response = await this.http('list', { signal })
    if (!response.ok) {
      await response.body?.cancel()
      throw new Error(`the invoice API responded ${response.status}`)
    }
    return (await response.json()) as Invoice[]
  }
}

/** Calls an API through a class of its own. */
export const typedClient: Worker = (context) => {
  const { tokens, environment, stop } = context
  const invoices = new InvoiceClient(createFetch(tokens, 'invoice.client', { baseURL: environment.invoiceUrl }))

  return everySecond(context, async () => {
    const list = await invoices.list(stop)
    return `${list.length} invoices with a total of ${list.reduce((sum, { total }) => sum + total, 0)}`
  })
}
