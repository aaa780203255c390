-- Entries of the outbox are with the broker: forget them, and what was remembered for fear of second copies.
--
-- KEYS  1 the outbox   2 runs that were taken   3 runs that may have two copies
-- ARGV  1 seconds after which no copy comes any more   then for each entry: id, run
--
-- While an entry is in the outbox it may be published once more; after that a run has one copy, unless in doubt.

for at = 2, #ARGV, 2 do
  redis.call('XDEL', KEYS[1], ARGV[at])
  if not redis.call('ZSCORE', KEYS[3], ARGV[at + 1]) then
    redis.call('ZREM', KEYS[2], ARGV[at + 1])
  end
end
local past = string.format('%.3f', tonumber(redis.call('TIME')[1]) - tonumber(ARGV[1]))
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', past)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', past)
