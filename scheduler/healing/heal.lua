-- One repair of one entry, whole or not at all, and only of exactly what was found.
--
-- KEYS  1 the entry's hash   2 RedBeat's sorted set of due times   3 the stream of events   4 the set of statics
-- ARGV  1-3 definition, meta and our field as they were found ('-' where absent, otherwise '+' and the text)
--       4 '1' where the entry stood in the sorted set, so that a deletion of what is left of it is seen
--       5-7 the fields as they are to be; a definition '-' deletes the entry
--       8 score   9 field of the event   10 the event, or '' for none   11 wake channel   12 name   13 '1' for a static entry
--       14 '1' where it was a static entry when it was found
--
-- Answers 1, or 0 where somebody else was quicker. Lua has no rollback: what can fail is tried before the first write.

local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then
  return 0
end
local current = redis.call('HMGET', KEYS[1], 'definition', 'meta', 'beatdesk')
for field = 1, 3 do
  local value = current[field]
  if (value and '+' .. value or '-') ~= ARGV[field] then
    return 0
  end
end
if (redis.call('ZSCORE', KEYS[2], KEYS[1]) and '1' or '0') ~= ARGV[4] then
  return 0
end
if tostring(redis.call('SISMEMBER', KEYS[4], ARGV[12])) ~= ARGV[14] then
  return 0
end
redis.call('XLEN', KEYS[3])

if ARGV[10] ~= '' then
  redis.call('XADD', KEYS[3], '*', ARGV[9], ARGV[10])
end
if ARGV[5] == '-' then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], KEYS[1])
else
  redis.call('HSET', KEYS[1], 'definition', string.sub(ARGV[5], 2), 'meta', string.sub(ARGV[6], 2),
    'beatdesk', string.sub(ARGV[7], 2))
  redis.call('ZADD', KEYS[2], ARGV[8], KEYS[1])
  if ARGV[13] == '1' then
    redis.call('SADD', KEYS[4], ARGV[12])
  end
end
redis.call('PUBLISH', ARGV[11], ARGV[12])
return 1
