-- Changes of many schedules and calendars, all of them or none.
--
-- KEYS  1 RedBeat's sorted set of due times   2 the stream of events   3 the calendars   4 their fingerprints
--       5… the entries' hashes
-- ARGV  1 wake channel   2 field of the events   3 how many calendars, then for each calendar
--       1 name   2 its text as it was read   3 as it is to be; '-' deletes it   4 the new fingerprint   5 the event
--       then for each entry
--       1-3 definition, meta and our field as they were read
--       4-6 the same as they are to be; a definition '-' deletes the entry
--       7 score   8 the event   9 name
--       then further events
-- Fields are '-' where absent, otherwise '+' and the text, so that an empty text is not an absent one.
--
-- Answers an empty list when all is done; otherwise nothing was written, and the list has what stands in the way:
-- 'meta' (only Beat has moved on), 'entry' (somebody changed it) or 'kind' (the key is no hash), and the number (from 1)
-- of the entry; or 'calendar' (somebody changed it), and the number of the calendar. Lua has no rollback: everything that can fail is tried before the first write.

local EACH, KEYS_BEFORE = 9, 4
local OF_CALENDAR, CALENDARS = 5, tonumber(ARGV[3])
local BEFORE = 3 + CALENDARS * OF_CALENDAR

-- Whether the entry is as it is to be already, and what stands in the way of changing it.
local function look(key, at)
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'hash' and kind ~= 'none' then
    return false, 'kind'
  end
  local current = redis.call('HMGET', key, 'definition', 'meta', 'beatdesk')
  local function is(field, expected)
    if current[field] then
      return expected == '+' .. current[field]
    end
    return expected == '-'
  end
  local there = is(1, ARGV[at + 4]) and is(3, ARGV[at + 6])
  if not (is(1, ARGV[at + 1]) and is(3, ARGV[at + 3])) then
    return there, 'entry'
  end
  return there, not is(2, ARGV[at + 2]) and 'meta' or nil
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
  redis.call('XADD', KEYS[2], '*', ARGV[2], ARGV[at + 8])
  if ARGV[at + 4] == '-' then
    redis.call('DEL', key)
    redis.call('ZREM', KEYS[1], key)
  else
    redis.call('HSET', key, 'definition', string.sub(ARGV[at + 4], 2), 'meta', string.sub(ARGV[at + 5], 2),
      'beatdesk', string.sub(ARGV[at + 6], 2))
    redis.call('ZADD', KEYS[1], ARGV[at + 7], key)
  end
  redis.call('PUBLISH', ARGV[1], ARGV[at + 9])
end
for further = BEFORE + (#KEYS - KEYS_BEFORE) * EACH + 1, #ARGV do
  redis.call('XADD', KEYS[2], '*', ARGV[2], ARGV[further])
end
return found
