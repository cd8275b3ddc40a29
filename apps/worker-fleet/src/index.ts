export { type Member, memberNames, startMember } from './fleet'
export type {
  CallRecord,
  CallReport,
  CallTarget,
  MemberConfiguration,
  MemberEvent,
  RedisAddress,
  SentToken,
} from './protocol'
