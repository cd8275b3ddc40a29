import { script } from './script'

/** Clocks differ: a member of an index stays in it for this long after its time, in milliseconds. */
export const GRACE_MS = 3_600_000

/**
 * Key: index of a group. Adds a member until `untilMs`, or later when it is in the index until later. Removes members whose time
 * was over before `removeBeforeMs`: otherwise the index of a busy client would grow without end. Both times are by the caller's
 * clock. An index of another type is replaced.
 */
export const addToGroup = script(`
local indexKey = KEYS[1]
local member, untilMs, removeBeforeMs = ARGV[1], ARGV[2], ARGV[3]
local indexType = redis.call('TYPE', indexKey)['ok']
if indexType ~= 'zset' and indexType ~= 'none' then redis.call('DEL', indexKey) end
redis.call('ZREMRANGEBYSCORE', indexKey, '-inf', removeBeforeMs)
local listedUntilMs = redis.call('ZSCORE', indexKey, member)
if not listedUntilMs or tonumber(listedUntilMs) < tonumber(untilMs) then redis.call('ZADD', indexKey, untilMs, member) end
local last = redis.call('ZRANGE', indexKey, -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', indexKey, string.format('%.0f', tonumber(last[2]) + ${GRACE_MS}))
return 1`)

/** Key: index of a group. Returns the members, and deletes the index. */
export const takeGroup = script(`
local indexKey = KEYS[1]
local members = {}
if redis.call('TYPE', indexKey)['ok'] == 'zset' then members = redis.call('ZRANGE', indexKey, 0, -1) end
redis.call('DEL', indexKey)
return members`)
