import { script } from './script'

/*
 * The scripts check the type of a key before they use it: a key of another type, written by somebody else, would make each
 * command fail (WRONGTYPE) for good. It is deleted, and the caller is told.
 */

/**
 * Keys: value, lease.
 *
 * Returns the value, the lease, or that another process holds the lease. `orphanedId`: ids of leases that this process may hold
 * without knowing. Its own id is among them when the client sends the command again after its connection broke.
 */
export const takeLease = script(`
local valueKey, leaseKey = KEYS[1], KEYS[2]
local staleValueSha1, leaseId, leaseMs = ARGV[1], ARGV[2], ARGV[3]
local wrongType = 0
for _, key in ipairs({ valueKey, leaseKey }) do
  local type = redis.call('TYPE', key)['ok']
  if type ~= 'string' and type ~= 'none' then
    redis.call('DEL', key)
    wrongType = 1
  end
end
local value = redis.call('GET', valueKey)
if value and redis.sha1hex(value) ~= staleValueSha1 then return { 'value', value } end
if redis.call('SET', leaseKey, leaseId, 'NX', 'PX', leaseMs) then return { 'lease', wrongType } end
local holder = redis.call('GET', leaseKey)
if holder == leaseId then return { 'lease', wrongType } end
for i = 4, #ARGV do
  local orphanedId = ARGV[i]
  if holder == orphanedId then
    redis.call('SET', leaseKey, leaseId, 'PX', leaseMs)
    return { 'lease', wrongType }
  end
end
return { 'wait' }`)

/**
 * Keys: value, lease, staging. Moves the token from staging to its place. When staging is gone, the token expired before it could
 * be moved: then there is no value.
 */
export const commitLease = script(`
local valueKey, leaseKey, stagingKey = KEYS[1], KEYS[2], KEYS[3]
local leaseId = ARGV[1]
if redis.call('GET', leaseKey) ~= leaseId then
  redis.call('DEL', stagingKey)
  return 0
end
redis.call('DEL', valueKey, leaseKey)
if redis.call('EXISTS', stagingKey) == 1 then redis.call('RENAME', stagingKey, valueKey) end
return 1`)

/** Key: lease. */
export const releaseLease = script(`
local leaseKey = KEYS[1]
local leaseId = ARGV[1]
if redis.call('GET', leaseKey) == leaseId then return redis.call('DEL', leaseKey) end
return 0`)
