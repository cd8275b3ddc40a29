import { script } from './script'

/**
 * Key: index of a group. Adds a member until a time of the caller's clock, and removes members whose time was over long ago:
 * otherwise the index of a busy client would grow for good. An hour of grace, because clocks differ. An index of another type is
 * replaced.
 */
export const addToGroup = script(`
local indexKey = KEYS[1]
local member, untilMs, overSinceMs = ARGV[1], ARGV[2], ARGV[3]
local graceMs = 3600000
local type = redis.call('TYPE', indexKey)['ok']
if type ~= 'zset' and type ~= 'none' then redis.call('DEL', indexKey) end
redis.call('ZREMRANGEBYSCORE', indexKey, '-inf', overSinceMs)
redis.call('ZADD', indexKey, 'GT', untilMs, member)
local last = redis.call('ZRANGE', indexKey, -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', indexKey, string.format('%.0f', tonumber(last[2]) + graceMs))
return 1`)

/** Key: index of a group. Returns the members, and deletes the index. */
export const takeGroup = script(`
local indexKey = KEYS[1]
local members = {}
if redis.call('TYPE', indexKey)['ok'] == 'zset' then members = redis.call('ZRANGE', indexKey, 0, -1) end
redis.call('DEL', indexKey)
return members`)
