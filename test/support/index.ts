export { catalogTokens, dpopTokens } from './catalog'
export { CLAIMS, challenge, claimsChallenge, refusal } from './challenges'
export { addedCost, awaitedCostOf, costOf, warmTokens } from './cost'
export { expectOneToken, expectOutlivesServer, fleet, MINUTE, newKey } from './fleet'
export { LeasingStore } from './leasing-store'
export { METADATA_PATH, movingApi } from './moving-api'
export { runs, slow } from './property'
export { definitionsFor, managerFor, startProvider } from './provider'
export { OPAQUE_RABBIT, RABBIT, RABBIT_SCOPE, useRabbit, watchedProxy } from './rabbit'
export {
  bearerAndDpop,
  clientNames,
  credentials,
  expectTokensAtApiOnly,
  isLocal,
  type SentRequest,
  startTwoServers,
  type TwoServers,
  urlTexts,
} from './sent-urls'
export { SkippableClock } from './skippable-clock'
export { serve, tokensOf } from './stand-ins'
