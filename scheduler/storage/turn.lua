-- Take or renew a lock that expires by itself.
--
-- KEYS  1 the lock        ARGV  1 the holder's name   2 milliseconds after which the lock expires
--
-- Answers 'new' where the lock was free, 'held' where the caller had it, otherwise 'others'.

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 'others'
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return holder and 'held' or 'new'
