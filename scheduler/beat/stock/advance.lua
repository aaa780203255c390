-- Beat moves an entry on, unless somebody changed or deleted it since Beat read it.
--
-- KEYS  1 the entry's hash   2 RedBeat's sorted set of due times   3 the stream of events
--       4 all leases   5 their owners   6 the schedule's alive runs   7 its waiting ticks
-- ARGV  1-3 definition, meta and our field as they were read ('-' where absent, otherwise '+' and the text)
--       4 the new meta in the same form; '-' leaves it as it is
--       5 score   6 field of an event
--       7 the run that is sent ('' for none)   8 what is known of it   9 how long it counts as alive until it is queued
--       10 the tick that is sent and was waiting ('' for none)
--       then, each after their number: events; ticks that wait no longer; ticks that wait from now on
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
if ARGV[10] ~= '' and not redis.call('ZSCORE', KEYS[7], ARGV[10]) then
  return 0
end
-- Lua has no rollback: what can fail is tried before the first write.
redis.call('XLEN', KEYS[3])
redis.call('HLEN', KEYS[5])
for _, key in ipairs({2, 4, 6, 7}) do
  redis.call('ZCARD', KEYS[key])
end

local at = 11
local function list()
  local from = at + 1
  at = from + tonumber(ARGV[at])
  return from, at - 1
end

local first, last = list()
for place = first, last do
  redis.call('XADD', KEYS[3], '*', ARGV[6], ARGV[place])
end
first, last = list()
for place = first, last do
  redis.call('ZREM', KEYS[7], ARGV[place])
end
first, last = list()
for place = first, last do
  redis.call('ZADD', KEYS[7], 0, ARGV[place])  -- ticks are texts in the order of time
end
if ARGV[7] ~= '' then
  local time = redis.call('TIME')
  local alive = tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[9])
  redis.call('HSET', KEYS[5], ARGV[7], ARGV[8])
  redis.call('ZADD', KEYS[4], alive, ARGV[7])
  redis.call('ZADD', KEYS[6], alive, ARGV[7])
end
if ARGV[4] ~= '-' then
  redis.call('HSET', KEYS[1], 'meta', string.sub(ARGV[4], 2))
end
redis.call('ZADD', KEYS[2], 'XX', ARGV[5], KEYS[1])
return 1
