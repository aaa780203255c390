-- Write what the code says of its static entries, unless the lock is another's.
--
-- KEYS  1 the lock   2 RedBeat's sorted set of due times   3 the set of static entries   4 that the code has spoken
-- ARGV  1 the token   2 due time of what is written   3 how many entries the code has dropped, then for each
--       its key and its name; then for each entry that is new or another one
--       key, name, definition, meta of a new one, '1' where it is to be known as static
--
-- Answers -1 where the lock is another's, otherwise 1.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return -1
end
redis.call('ZCARD', KEYS[2])
redis.call('SCARD', KEYS[3])
local at = 4
for _ = 1, tonumber(ARGV[3]) do
  redis.call('DEL', ARGV[at])
  redis.call('ZREM', KEYS[2], ARGV[at])
  redis.call('SREM', KEYS[3], ARGV[at + 1])
  at = at + 2
end
for entry = at, #ARGV, 5 do
  local key = ARGV[entry]
  local kind = redis.call('TYPE', key).ok
  if kind == 'hash' or kind == 'none' then
    redis.call('HSET', key, 'definition', ARGV[entry + 2])
    redis.call('HSETNX', key, 'meta', ARGV[entry + 3])
  end
  redis.call('ZADD', KEYS[2], ARGV[2], key)  -- a key that is not a hash goes into quarantine in the next pass
  if ARGV[entry + 4] == '1' then
    redis.call('SADD', KEYS[3], ARGV[entry + 1])
  end
end
redis.call('SET', KEYS[4], 'told')
return 1
