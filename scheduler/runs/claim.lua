-- A worker asks whether it may begin with a message that came by the outbox: a run is its first message's, for good.
--
-- KEYS  1 which message has which run   2 until when that is remembered   3 owners of leases
-- ARGV  1 run   2 message   3 seconds to remember it
--
-- Answers 1, or 0 where the run is another message's, or over. A lost run may start again, by its own message.

local claimed = redis.call('HGET', KEYS[1], ARGV[1])
if claimed and claimed ~= ARGV[2] .. ' lost' then
  if claimed ~= ARGV[2] or redis.call('HEXISTS', KEYS[3], ARGV[1]) == 0 then
    return 0
  end
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], tonumber(redis.call('TIME')[1]) + tonumber(ARGV[3]), ARGV[1])
return 1
