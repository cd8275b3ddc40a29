import { script } from './script'

/** The latest time that a member can have, in milliseconds since 1970. Redis expires no key at a time far beyond it. */
export const MAX_UNTIL_MS = (Number.MAX_SAFE_INTEGER - 1) / 2

/**
 * Key: index of a group. Adds a member until `untilMs`, unless it is listed until later. Both times are by the caller's clock.
 *
 * Members whose time was over before `overSinceMs` are removed, otherwise the index of a busy client would grow without end. A score
 * that this store cannot have written is removed too, because Redis cannot use it as a time. An index of another type is replaced:
 * then the result is 1.
 */
export const addToGroup = script(`
local indexKey = KEYS[1]
local member, untilMs, overSinceMs = ARGV[1], ARGV[2], ARGV[3]
local graceMs = 3600000
local indexType = redis.call('TYPE', indexKey)['ok']
local isWrongType = indexType ~= 'zset' and indexType ~= 'none'
if isWrongType then redis.call('DEL', indexKey) end
redis.call('ZREMRANGEBYSCORE', indexKey, '(${MAX_UNTIL_MS}', '+inf')
redis.call('ZREMRANGEBYSCORE', indexKey, '-inf', overSinceMs)
local listedUntilMs = redis.call('ZSCORE', indexKey, member)
if not listedUntilMs or tonumber(listedUntilMs) < tonumber(untilMs) then redis.call('ZADD', indexKey, untilMs, member) end
local last = redis.call('ZRANGE', indexKey, -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', indexKey, string.format('%.0f', tonumber(last[2]) + graceMs))
return isWrongType and 1 or 0`)

/**
 * Key: index of a group. Returns the members, and deletes the index. An index of another type is an error, because nobody knows any
 * more what was in the group; it is deleted too.
 */
export const takeGroup = script(`
local indexKey = KEYS[1]
local members = redis.pcall('ZRANGE', indexKey, 0, -1)
redis.call('DEL', indexKey)
return members`)
