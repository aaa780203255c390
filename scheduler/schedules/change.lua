-- One change of one schedule, whole or not at all.
--
-- KEYS  1 the entry's hash   2 RedBeat's sorted set of due times   3 the stream of events   4 its waiting ticks
--       5 deleted schedules   6 the same, by time
-- ARGV  1-4 the entry as it was read   5-8 as it is to be; one without a definition is deleted
--       9 score   10 field of the event   11 the event   12 wake channel   13 name
--       14 how many ticks wait from now on, then these, then further events
-- uses: entry, tombstone
--
-- Answers 'done', or what stands in the way: 'meta' (only Beat has moved on), 'entry' (somebody changed it),
-- 'kind' (the key is no hash). Lua has no rollback: everything that can fail is tried before the first write.

local READ, NEW, HOLD = 1, 5, 14
local kind = redis.call('TYPE', KEYS[1]).ok
local fields = {false, false, false}
if kind == 'hash' then
  fields = read_entry(KEYS[1], redis.call)
end
local deletes = not has_definition(ARGV, NEW)

-- A client that lost the answer sends the script again; our field holds who saved what when.
if not deletes and is_field(fields, 1, ARGV, NEW) and is_field(fields, 3, ARGV, NEW) then
  return 'done'
end
if not (is_field(fields, 1, ARGV, READ) and is_field(fields, 3, ARGV, READ)) then
  return 'entry'
end
if not is_field(fields, 2, ARGV, READ) then
  return 'meta'
end
if kind ~= 'hash' and kind ~= 'none' and not deletes then
  return 'kind'
end
redis.call('XLEN', KEYS[3])
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[4])
redis.call('HLEN', KEYS[5])
redis.call('ZCARD', KEYS[6])

redis.call('XADD', KEYS[3], '*', ARGV[10], ARGV[11])
local held = HOLD + tonumber(ARGV[HOLD])
for place = HOLD + 1, held do
  redis.call('ZADD', KEYS[4], 0, ARGV[place])
end
for further = held + 1, #ARGV do
  redis.call('XADD', KEYS[3], '*', ARGV[10], ARGV[further])
end
if deletes then
  bury(KEYS[5], KEYS[6], ARGV[11])
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], KEYS[1])
else
  write_entry(KEYS[1], ARGV, NEW)
  redis.call('ZADD', KEYS[2], ARGV[9], KEYS[1])
end
redis.call('PUBLISH', ARGV[12], ARGV[13])
return 'done'
