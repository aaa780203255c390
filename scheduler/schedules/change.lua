-- One change of one schedule, whole or not at all.
--
-- KEYS  1 the entry's hash   2 RedBeat's sorted set of due times   3 the stream of events   4 its waiting ticks
-- ARGV  1-3 definition, meta and our field as they were read
--       4-6 the same as they are to be; a definition '-' deletes the entry
--       7 score   8 field of the event   9 the event   10 wake channel   11 name
--       12 how many ticks wait from now on, then these, then further events
-- Fields are '-' where absent, otherwise '+' and the text, so that an empty text is not an absent one.
--
-- Answers 'done', or what stands in the way: 'meta' (only Beat has moved on), 'entry' (somebody changed it),
-- 'kind' (the key is no hash). Lua has no rollback: everything that can fail is tried before the first write.

local kind = redis.call('TYPE', KEYS[1]).ok
local current = {false, false, false}
if kind == 'hash' then
  current = redis.call('HMGET', KEYS[1], 'definition', 'meta', 'beatdesk')
end

local function is(field, expected)
  local value = current[field]
  if value then
    return expected == '+' .. value
  end
  return expected == '-'
end

local deletes = ARGV[4] == '-'

-- A client that lost the answer sends the script again; our field holds who saved what when.
if not deletes and is(1, ARGV[4]) and is(3, ARGV[6]) then
  return 'done'
end
if not (is(1, ARGV[1]) and is(3, ARGV[3])) then
  return 'entry'
end
if not is(2, ARGV[2]) then
  return 'meta'
end
if kind ~= 'hash' and kind ~= 'none' and not deletes then
  return 'kind'
end
redis.call('XLEN', KEYS[3])
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[4])

redis.call('XADD', KEYS[3], '*', ARGV[8], ARGV[9])
local held = 12 + tonumber(ARGV[12])
for place = 13, held do
  redis.call('ZADD', KEYS[4], 0, ARGV[place])
end
for further = held + 1, #ARGV do
  redis.call('XADD', KEYS[3], '*', ARGV[8], ARGV[further])
end
if deletes then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], KEYS[1])
else
  redis.call('HSET', KEYS[1], 'definition', string.sub(ARGV[4], 2), 'meta', string.sub(ARGV[5], 2),
    'beatdesk', string.sub(ARGV[6], 2))
  redis.call('ZADD', KEYS[2], ARGV[7], KEYS[1])
end
redis.call('PUBLISH', ARGV[10], ARGV[11])
return 'done'
