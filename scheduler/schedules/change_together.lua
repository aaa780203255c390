-- Changes of many schedules, all of them or none.
--
-- KEYS  1 RedBeat's sorted set of due times   2 the stream of events   3… the entries' hashes
-- ARGV  1 wake channel   2 field of the events, then for each entry
--       1-3 definition, meta and our field as they were read
--       4-6 the same as they are to be; a definition '-' deletes the entry
--       7 score   8 the event   9 name
-- Fields are '-' where absent, otherwise '+' and the text, so that an empty text is not an absent one.
--
-- Answers an empty list when all is done; otherwise nothing was written, and the list has what stands in the way:
-- 'meta' (only Beat has moved on), 'entry' (somebody changed it) or 'kind' (the key is no hash), and the number (from 1)
-- of the entry. Lua has no rollback: everything that can fail is tried before the first write.

local EACH, BEFORE = 9, 2

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
for number = 1, #KEYS - 2 do
  local there, why = look(KEYS[number + 2], BEFORE + (number - 1) * EACH)
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

for number = 1, #KEYS - 2 do
  local key, at = KEYS[number + 2], BEFORE + (number - 1) * EACH
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
return found
