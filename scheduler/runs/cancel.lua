-- Note cancelled runs, and forget old ones: a few at a time, so that no cancellation pays for a week of them.
--
-- KEYS  1 cancelled runs   2 the same, by time
-- ARGV  1 the time now   2 seconds for which a run is remembered   3 most runs that are forgotten, or given a time
--       then for each: the run, and what is noted of it
--
-- Entries of an older version have no time: some are found by chance each time, and count from then on.

for at = 4, #ARGV, 2 do
  redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  redis.call('ZADD', KEYS[2], ARGV[1], ARGV[at])
end
local before = '(' .. string.format('%.6f', tonumber(ARGV[1]) - tonumber(ARGV[2]))
for _, run in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', before, 'LIMIT', 0, ARGV[3])) do
  redis.call('HDEL', KEYS[1], run)
  redis.call('ZREM', KEYS[2], run)
end
if redis.call('HLEN', KEYS[1]) > redis.call('ZCARD', KEYS[2]) then
  for _, run in ipairs(redis.call('HRANDFIELD', KEYS[1], ARGV[3])) do
    redis.call('ZADD', KEYS[2], 'NX', ARGV[1], run)
  end
end
