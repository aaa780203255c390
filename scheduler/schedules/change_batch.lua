-- Changes of many schedules and calendars, all of them or none.
--
-- KEYS  1 RedBeat's sorted set of due times   2 the stream of events   3 the calendars   4 their fingerprints
--       5 deleted schedules   6 the same, by time   7… the entries' hashes
-- ARGV  1 wake channel   2 field of the events   3 how many calendars, then for each calendar
--       1 name   2 its text as it was read   3 as it is to be; '-' deletes it   4 the new fingerprint   5 the event
--       (a calendar's text is '-' where absent, otherwise '+' and the text)
--       then for each entry
--       1-4 the entry as it was read   5-8 as it is to be; one without a definition is deleted
--       9 score   10 the event   11 name
--       then further events
-- uses: entry, tombstone
--
-- Answers an empty list when all is done; otherwise nothing was written, and the list has what stands in the way:
-- 'meta' (only Beat has moved on), 'entry' (somebody changed it) or 'kind' (the key is no hash), and the number (from 1)
-- of the entry; or 'calendar' (somebody changed it), and the number of the calendar. Lua has no rollback: everything that can fail is tried before the first write.

local EACH, KEYS_BEFORE = 11, 6
local READ, NEW, SCORE, EVENT, NAME = 1, 5, 9, 10, 11
local OF_CALENDAR, CALENDARS = 5, tonumber(ARGV[3])
local BEFORE = 3 + CALENDARS * OF_CALENDAR

-- Whether the entry is as it is to be already, and what stands in the way of changing it.
local function look(key, at)
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'hash' and kind ~= 'none' then
    return false, 'kind'
  end
  local fields = read_entry(key, redis.call)
  local there = is_field(fields, 1, ARGV, at + NEW) and is_field(fields, 3, ARGV, at + NEW)
  if not (is_field(fields, 1, ARGV, at + READ) and is_field(fields, 3, ARGV, at + READ)) then
    return there, 'entry'
  end
  return there, not is_field(fields, 2, ARGV, at + READ) and 'meta' or nil
end

local found, missing = {}, 0
for number = 1, CALENDARS do
  local at = 3 + (number - 1) * OF_CALENDAR
  local text = redis.call('HGET', KEYS[3], ARGV[at + 1])
  text = text and '+' .. text or '-'
  local fingerprint = redis.call('HGET', KEYS[4], ARGV[at + 1]) or ''
  if text ~= ARGV[at + 3] or fingerprint ~= ARGV[at + 4] then
    missing = missing + 1
  end
  if text ~= ARGV[at + 2] then
    found[#found + 1] = 'calendar'
    found[#found + 1] = number
  end
end
for number = 1, #KEYS - KEYS_BEFORE do
  local there, why = look(KEYS[number + KEYS_BEFORE], BEFORE + (number - 1) * EACH)
  missing = missing + (there and 0 or 1)
  if why then
    found[#found + 1] = why
    found[#found + 1] = number
  end
end
-- A client that lost the answer sends the script again; our field holds who saved what when.
if missing == 0 then
  return {}
end
if #found > 0 then
  return found
end
redis.call('XLEN', KEYS[2])
redis.call('ZCARD', KEYS[1])
redis.call('HLEN', KEYS[4])
redis.call('HLEN', KEYS[5])
redis.call('ZCARD', KEYS[6])

for number = 1, CALENDARS do
  local at = 3 + (number - 1) * OF_CALENDAR
  redis.call('XADD', KEYS[2], '*', ARGV[2], ARGV[at + 5])
  if ARGV[at + 3] == '-' then
    redis.call('HDEL', KEYS[3], ARGV[at + 1])
    redis.call('HDEL', KEYS[4], ARGV[at + 1])
  else
    redis.call('HSET', KEYS[3], ARGV[at + 1], string.sub(ARGV[at + 3], 2))
    redis.call('HSET', KEYS[4], ARGV[at + 1], ARGV[at + 4])
  end
end
for number = 1, #KEYS - KEYS_BEFORE do
  local key, at = KEYS[number + KEYS_BEFORE], BEFORE + (number - 1) * EACH
  redis.call('XADD', KEYS[2], '*', ARGV[2], ARGV[at + EVENT])
  if has_definition(ARGV, at + NEW) then
    write_entry(key, ARGV, at + NEW)
    redis.call('ZADD', KEYS[1], ARGV[at + SCORE], key)
  else
    bury(KEYS[5], KEYS[6], ARGV[at + EVENT])
    redis.call('DEL', key)
    redis.call('ZREM', KEYS[1], key)
  end
  redis.call('PUBLISH', ARGV[1], ARGV[at + NAME])
end
for further = BEFORE + (#KEYS - KEYS_BEFORE) * EACH + 1, #ARGV do
  redis.call('XADD', KEYS[2], '*', ARGV[2], ARGV[further])
end
return found
