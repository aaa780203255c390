-- These runs may get a second message: remember for long which message has them.
--
-- KEYS  1 until when it is remembered   2 doubtful runs, by time
-- ARGV  1 seconds   then the runs

local now = tonumber(redis.call('TIME')[1])
for at = 2, #ARGV do
  redis.call('ZADD', KEYS[2], now, ARGV[at])
  redis.call('ZADD', KEYS[1], 'XX', now + tonumber(ARGV[1]), ARGV[at])
end
