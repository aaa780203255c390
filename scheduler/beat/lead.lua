-- Take RedBeat's lock, if it is free, or is ours already because the answer to an earlier try was lost.
--
-- KEYS  1 the lock   2 the epoch
-- ARGV  1 who asks: 'host:pid:uuid'   2 milliseconds that the lock lives
--
-- Answers 1 and the token, 'epoch:host:pid:uuid'; or 0 and in how many milliseconds the lock ends (-1: never).

local holder = redis.call('GET', KEYS[1])
if holder then
  if string.sub(holder, -#ARGV[1] - 1) ~= ':' .. ARGV[1] then
    return {0, redis.call('PTTL', KEYS[1])}
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {1, holder}
end
local token = redis.call('INCR', KEYS[2]) .. ':' .. ARGV[1]
redis.call('SET', KEYS[1], token, 'PX', ARGV[2])
return {1, token}
