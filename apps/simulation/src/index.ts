export type { Scenario } from './scenario'
export { type Observer, type Outcome, simulate } from './simulation'
