import { script } from './script'

/** The longest value that is read, in bytes. Reading a longer one could take longer than the time limit of the store. */
export const MAX_VALUE_BYTES = 4 * 1024 * 1024

/*
 * The scripts check a key before they use it. These keys were written by somebody else, and would be in the way for good: a key
 * of another type (each command would fail with WRONGTYPE), a value that takes too long to read, a lease that never expires.
 * They are deleted, and the caller is told.
 */

/**
 * Keys: value, lease. Returns the value, the lease (with the code of what was deleted, or an empty string), or that another process
 * holds the lease.
 *
 * The lease is already held under `leaseId` when the client sends the command twice because its connection broke. After `leaseMs`
 * come the ids of orphaned leases: this process may hold the lease under one of them without knowing.
 */
export const takeLease = script(`
local valueKey, leaseKey = KEYS[1], KEYS[2]
local staleValueSha1, leaseId, leaseMs = ARGV[1], ARGV[2], ARGV[3]
local problem = ''
for _, key in ipairs({ valueKey, leaseKey }) do
  local keyType = redis.call('TYPE', key)['ok']
  if keyType ~= 'string' and keyType ~= 'none' then
    redis.call('DEL', key)
    problem = 'WRONGTYPE'
  end
end
if redis.call('STRLEN', valueKey) > ${MAX_VALUE_BYTES} then
  redis.call('DEL', valueKey)
  problem = 'value_too_large'
end
local neverExpires = -1
if redis.call('PTTL', leaseKey) == neverExpires then
  redis.call('DEL', leaseKey)
  problem = 'lease_without_expiry'
end
local value = redis.call('GET', valueKey)
if value and redis.sha1hex(value) ~= staleValueSha1 then return { 'value', value } end
if redis.call('SET', leaseKey, leaseId, 'NX', 'PX', leaseMs) then return { 'lease', problem } end
local holder = redis.call('GET', leaseKey)
if holder == leaseId then return { 'lease', problem } end
for i = 4, #ARGV do
  local orphanedId = ARGV[i]
  if holder == orphanedId then
    redis.call('SET', leaseKey, leaseId, 'PX', leaseMs)
    return { 'lease', problem }
  end
end
return { 'wait' }`)

/**
 * Keys: value, lease, staging. Moves the token from staging to its place. When staging is gone, the token expired before it could
 * be moved: then there is no value. A lease key of another type is not this lease: `pcall` returns an error for it.
 */
export const commitLease = script(`
local valueKey, leaseKey, stagingKey = KEYS[1], KEYS[2], KEYS[3]
local leaseId = ARGV[1]
if redis.pcall('GET', leaseKey) ~= leaseId then
  redis.call('DEL', stagingKey)
  return 0
end
redis.call('DEL', valueKey, leaseKey)
if redis.call('EXISTS', stagingKey) == 1 then redis.call('RENAME', stagingKey, valueKey) end
return 1`)

/** Key: value. Deletes it when it is of another type. The check and the deletion are one step, so no new value is lost. */
export const dropWrongType = script(`
local valueKey = KEYS[1]
local keyType = redis.call('TYPE', valueKey)['ok']
if keyType ~= 'string' and keyType ~= 'none' then return redis.call('DEL', valueKey) end
return 0`)

/** Key: lease. Deletes it when it is held under `leaseId`. */
export const releaseLease = script(`
local leaseKey = KEYS[1]
local leaseId = ARGV[1]
if redis.pcall('GET', leaseKey) == leaseId then return redis.call('DEL', leaseKey) end
return 0`)
