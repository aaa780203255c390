-- A worker asks whether it may begin with a message that came by the outbox; where it may, the run is its own.
--
-- KEYS  1 all leases   2 their owners   3 the schedule's alive runs   4 the outbox   5 runs that were taken
--       6 runs that may have two copies
-- ARGV  1 run   2 attempt   3 entry of the outbox   4 seconds that a lease lives   5 uid   6 worker   7 name
--       8 '1' where the broker has given this very message out before   9 '1' where it has waited for another's end
--
-- Answers 'take', 'wait' (a worker may have it, and may be dead) or 'drop'. Doubtful are runs whose entry is still in
-- the outbox, or was published in doubt; only these are remembered beyond their end.

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local run, attempt = ARGV[1], tonumber(ARGV[2])
local doubtful = redis.call('ZSCORE', KEYS[6], run) or #redis.call('XRANGE', KEYS[4], ARGV[3], ARGV[3]) > 0
local owner = redis.call('HGET', KEYS[2], run)
local failures, till = '0', '0'

if owner then
  local _, known, worker, most, expires = string.match(owner, '^(%S+) (%S+) (%S+) (%S+) (%S+) ')
  failures, till = most, expires
  if tonumber(known) > attempt then
    return 'drop'
  end
  local lives = tonumber(redis.call('ZSCORE', KEYS[1], run) or '0') > now
  if tonumber(known) == attempt and worker ~= '-' and lives then
    return ARGV[8] == '1' and 'wait' or 'drop'
  end
elseif ARGV[9] == '1' or redis.call('ZSCORE', KEYS[5], run) then
  return 'drop'
end

local score = string.format('%.6f', now + tonumber(ARGV[4]))
redis.call('HSET', KEYS[2], run, table.concat({ARGV[5], ARGV[2], ARGV[6], failures, till, ARGV[7]}, ' '))
redis.call('ZADD', KEYS[1], score, run)
redis.call('ZADD', KEYS[3], score, run)
if doubtful then
  redis.call('ZADD', KEYS[5], string.format('%.3f', now), run)
end
return 'take'
