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
 * Keys: index of a group, and a list of its members that are being deleted. Moves the members from the index to the list, and
 * returns all that are in the list. A process that ends before it has deleted them leaves them there for the next deletion. They
 * cannot stay in the index: a key that is written meanwhile is added to it, and must not be removed from it afterwards.
 *
 * An index of another type is an error, because nobody knows any more what was in the group; it is deleted.
 */
export const takeGroup = script(`
local indexKey, deletingKey = KEYS[1], KEYS[2]
local graceMs = 3600000
local deletingType = redis.call('TYPE', deletingKey)['ok']
if deletingType ~= 'zset' and deletingType ~= 'none' then redis.call('DEL', deletingKey) end
local members = redis.pcall('ZRANGE', indexKey, 0, -1, 'WITHSCORES')
if members['err'] then
  redis.call('DEL', indexKey)
  return members
end
if redis.call('EXISTS', deletingKey) == 0 then
  if #members > 0 then redis.call('RENAME', indexKey, deletingKey) end
else
  for i = 1, #members, 2 do redis.call('ZADD', deletingKey, members[i + 1], members[i]) end
  redis.call('DEL', indexKey)
  redis.call('ZREMRANGEBYSCORE', deletingKey, '(${MAX_UNTIL_MS}', '+inf')
  local last = redis.call('ZRANGE', deletingKey, -1, -1, 'WITHSCORES')
  if last[2] then redis.call('PEXPIREAT', deletingKey, string.format('%.0f', tonumber(last[2]) + graceMs)) end
end
return redis.call('ZRANGE', deletingKey, 0, -1)`)

/** Key: list of the members that were being deleted. Removes those that have been deleted. */
export const forgetDeleted = script(`
local deletingKey = KEYS[1]
for _, member in ipairs(ARGV) do redis.call('ZREM', deletingKey, member) end
return 1`)
