-- Give the lock back, and wake those who stand by. Nothing is done to a lock that somebody else holds by now.
--
-- KEYS  1 the lock
-- ARGV  1 who leaves: 'host:pid:uuid', the end of its token   2 wake channel   3 what to say there

local holder = redis.call('GET', KEYS[1])
if not holder or string.sub(holder, -#ARGV[1] - 1) ~= ':' .. ARGV[1] then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
