-- A worker lives: the runs that it has count as alive for a while longer, those of them that are not over.
--
-- KEYS  1 all leases   2 their owners
-- ARGV  1 seconds   2 prefix of the alive runs of a schedule   then the runs
-- uses: lease

local time = redis.call('TIME')
local till = string.format('%.6f', tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[1]))
local kept = 0
for at = 3, #ARGV do
  local record = redis.call('HGET', KEYS[2], ARGV[at])
  local lease = record and decode_lease(record)
  if lease and is_held(lease) then
    redis.call('ZADD', KEYS[1], 'XX', till, ARGV[at])
    redis.call('ZADD', ARGV[2] .. lease.uid, 'XX', till, ARGV[at])
    kept = kept + 1
  end
end
return kept
