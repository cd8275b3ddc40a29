import { script } from './script'

// Keys: value, lease. Arguments: SHA-1 of the value that the caller cannot use (or nothing), id of the lease, its time,
// and the ids of leases that the caller may have without knowing. Its own id is there for a client that sends the
// command again after its connection broke.
export const takeLease = script(`
local value = redis.call('GET', KEYS[1])
if value and redis.sha1hex(value) ~= ARGV[1] then return { 'value', value } end
if redis.call('SET', KEYS[2], ARGV[2], 'NX', 'PX', ARGV[3]) then return { 'lease' } end
local holder = redis.call('GET', KEYS[2])
if holder == ARGV[2] then return { 'lease' } end
for i = 4, #ARGV do
  if holder == ARGV[i] then
    redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
    return { 'lease' }
  end
end
return { 'wait' }`)

// Keys: value, lease, draft. Argument: id of the lease.
// No draft any more means that its time was over before it could count: then there is no value.
export const commitLease = script(`
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
  redis.call('DEL', KEYS[3])
  return 0
end
redis.call('DEL', KEYS[1], KEYS[2])
if redis.call('EXISTS', KEYS[3]) == 1 then redis.call('RENAME', KEYS[3], KEYS[1]) end
return 1`)

// Key: lease. Argument: id of the lease.
export const releaseLease = script(`
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`)
