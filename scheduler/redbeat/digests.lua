-- A part of all entries, each with a fingerprint of what only edits change. Reads only.
--
-- KEYS  1 RedBeat's sorted set of due times
-- ARGV  1 where to begin   2 how many
--
-- Answers, for each entry, its key and its fingerprint: of definition and our field, and of Beat's memory only whether
-- it is there, because each tick changes it. '-' where there is no such hash. One SORT reads a whole part,
-- which is far cheaper than a call for each entry.

local found = redis.call('SORT', KEYS[1], 'BY', 'nosort', 'LIMIT', ARGV[1], ARGV[2],
  'GET', '#', 'GET', '*->definition', 'GET', '*->beatdesk', 'GET', '*->meta')
local answer = {}
for at = 1, #found, 4 do
  local definition, extra, meta = found[at + 1], found[at + 2], found[at + 3]
  local print = '-'
  if definition or extra or meta then
    local whole = meta and string.find(meta, '"last_run_at"', 1, true) and '+' or '-'
    print = whole .. string.sub(redis.sha1hex((definition or '') .. '\0' .. (extra or '-')), 1, 16)
  end
  answer[#answer + 1] = found[at]
  answer[#answer + 1] = print
end
return answer
