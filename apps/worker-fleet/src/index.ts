export { type Member, memberNames, startMember } from './fleet'
export { now } from './machine-clock'
export type {
  CallRecord,
  CallReport,
  CallTarget,
  MemberConfiguration,
  MemberEvent,
  RedisAddress,
  SentToken,
} from './protocol'
