-- Beat moves an entry on, unless somebody changed or deleted it since Beat read it.
--
-- KEYS  1 the entry's hash   2 RedBeat's sorted set of due times   3 the stream of events
--       4 all leases   5 their owners   6 the schedule's alive runs   7 its waiting ticks
-- ARGV  1-4 the entry as it was read   5 '1' where it gets a new meta   6 the new meta
--       7 score   8 field of an event
--       9 the run that is sent ('' for none)   10 the record of its lease   11 seconds that it is alive until it is queued
--       12 the tick that is sent and was waiting ('' for none)
--       then, each after their number: events; ticks that wait no longer; ticks that wait from now on
-- uses: entry
--
-- Answers 1, or 0 where nothing was written. An entry that is gone stays gone.

local READ, SENT_WAITING = 1, 12
if not is_as_it_was_read(read_entry(KEYS[1], redis.call), ARGV, READ) then
  return 0
end
if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
if ARGV[SENT_WAITING] ~= '' and not redis.call('ZSCORE', KEYS[7], ARGV[SENT_WAITING]) then
  return 0
end
-- Lua has no rollback: what can fail is tried before the first write.
redis.call('XLEN', KEYS[3])
redis.call('HLEN', KEYS[5])
for _, key in ipairs({2, 4, 6, 7}) do
  redis.call('ZCARD', KEYS[key])
end

local at = SENT_WAITING + 1
local function list()
  local from = at + 1
  at = from + tonumber(ARGV[at])
  return from, at - 1
end

local first, last = list()
for place = first, last do
  redis.call('XADD', KEYS[3], '*', ARGV[8], ARGV[place])
end
first, last = list()
for place = first, last do
  redis.call('ZREM', KEYS[7], ARGV[place])
end
first, last = list()
for place = first, last do
  redis.call('ZADD', KEYS[7], 0, ARGV[place])  -- ticks are texts in the order of time
end
if ARGV[9] ~= '' then
  local time = redis.call('TIME')
  local alive = tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[11])
  redis.call('HSET', KEYS[5], ARGV[9], ARGV[10])
  redis.call('ZADD', KEYS[4], alive, ARGV[9])
  redis.call('ZADD', KEYS[6], alive, ARGV[9])
end
if ARGV[5] == '1' then
  redis.call('HSET', KEYS[1], 'meta', ARGV[6])
end
redis.call('ZADD', KEYS[2], 'XX', ARGV[7], KEYS[1])
return 1
