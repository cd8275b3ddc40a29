export { catalogTokens, dpopTokens } from './catalog'
export { expectOneToken, expectOutlivesServer, fleet, MINUTE, newKey } from './fleet'
export { LeasingStore } from './leasing-store'
export { definitionsFor, managerFor, startProvider } from './provider'
