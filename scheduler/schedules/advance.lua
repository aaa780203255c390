-- Beat moves an entry on, unless somebody changed or deleted it since Beat read it.
--
-- KEYS  1 the entry's hash   2 RedBeat's sorted set of due times   3 the stream of events
-- ARGV  1-3 definition, meta and our field as they were read ('-' where absent, otherwise '+' and the text)
--       4 the new meta in the same form; '-' leaves it as it is
--       5 score   6 field of the event   7 the event, or '' for none
--
-- Answers 1, or 0 where nothing was written. An entry that is gone stays gone.

local current = redis.call('HMGET', KEYS[1], 'definition', 'meta', 'beatdesk')
for field = 1, 3 do
  local value = current[field]
  if (value and '+' .. value or '-') ~= ARGV[field] then
    return 0
  end
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
redis.call('ZCARD', KEYS[2])

if ARGV[7] ~= '' then
  redis.call('XADD', KEYS[3], '*', ARGV[6], ARGV[7])
end
if ARGV[4] ~= '-' then
  redis.call('HSET', KEYS[1], 'meta', string.sub(ARGV[4], 2))
end
redis.call('ZADD', KEYS[2], 'XX', ARGV[5], KEYS[1])
return 1
