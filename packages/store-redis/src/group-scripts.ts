import { script } from './script'

// Keys: index of a group. Arguments: what it lists, until when (the caller's clock), and what has long been over.
// An hour's grace, because clocks differ; without what is over, the index of a busy client would grow for good.
export const addToGroup = script(`
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
redis.call('PEXPIREAT', KEYS[1], string.format('%.0f', tonumber(last[2]) + 3600000))
return 1`)

// Key: index of a group.
export const takeGroup = script(`
local members = redis.call('ZRANGE', KEYS[1], 0, -1)
redis.call('DEL', KEYS[1])
return members`)
