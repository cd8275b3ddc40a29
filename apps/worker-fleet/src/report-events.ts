import type { TokenManager, TokenRequestError } from '@tokenward/core'
import type { MemberEvent } from './protocol'

/** Reports the changes of state that a token manager emits, each once. */
export function reportEvents(tokens: TokenManager<'catalog.client'>, report: (event: MemberEvent) => void): void {
  let isStoreFailing = false
  tokens.on('renewalFailed', ({ client, error }) => report({ type: 'renewalFailed', client, error: describe(error) }))
  tokens.on('tokenUnavailable', ({ client, error }) =>
    report({ type: 'tokenUnavailable', client, error: describe(error) }),
  )
  tokens.on('tokenRecovered', () => report({ type: 'tokenRecovered' }))
  tokens.on('tokenRejected', () => report({ type: 'tokenRejected' }))
  tokens.on('newTokenRejected', () => report({ type: 'newTokenRejected' }))
  tokens.on('circuitOpened', ({ wasOpen }) => {
    if (!wasOpen) report({ type: 'circuitOpened' })
  })
  tokens.on('circuitClosed', () => report({ type: 'circuitClosed' }))
  tokens.on('leaseTakenOver', ({ waitedMs }) => report({ type: 'leaseTakenOver', waitedMs }))
  tokens.on('storeFailed', () => {
    if (!isStoreFailing) report({ type: 'storeFailed' })
    isStoreFailing = true
  })
  tokens.on('storeRecovered', () => {
    isStoreFailing = false
    report({ type: 'storeRecovered' })
  })
}

/** The code and the status of an error. Its message may contain details that the page should not show. */
function describe({ error, status }: TokenRequestError): string {
  return status === undefined ? error : `${error} (${status})`
}
