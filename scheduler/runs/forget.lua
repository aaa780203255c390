-- Forget ends and deliveries whose message was never acknowledged, by their age.
--
-- KEYS  1 ends without acknowledgement   2 deliveries   3 until when they are remembered
-- ARGV  1 most of each
--
-- Answers how many were forgotten.

local now = redis.call('TIME')[1]
local forgotten = 0
for at = 1, 3, 2 do
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[at], '-inf', now, 'LIMIT', 0, ARGV[1])) do
    redis.call('ZREM', KEYS[at], member)
    if at == 3 then
      redis.call('HDEL', KEYS[2], member)
    end
    forgotten = forgotten + 1
  end
end
return forgotten
