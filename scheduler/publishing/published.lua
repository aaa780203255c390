-- Entries of the outbox are with the broker: forget them, and what no second message can be of any more.
--
-- KEYS  1 the outbox   2 which message has which run   3 until when that is remembered   4 doubtful runs, by time
-- ARGV  1 seconds after which a doubt is over   2 '1' where no entry that may have been published before is left
--       then the entries

for at = 3, #ARGV do
  redis.call('XDEL', KEYS[1], ARGV[at])
end
if ARGV[2] == '1' then
  local now = tonumber(redis.call('TIME')[1])
  for _, run in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', now, 'LIMIT', 0, 1000)) do
    redis.call('ZREM', KEYS[3], run)
    redis.call('HDEL', KEYS[2], run)
  end
  redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now - tonumber(ARGV[1]))
end
