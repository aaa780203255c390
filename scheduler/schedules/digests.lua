-- A part of all entries, each with a fingerprint of what only edits change. Reads only.
--
-- KEYS  1 RedBeat's sorted set of due times
-- ARGV  1 cursor, '0' at first   2 about how many
--
-- Answers the next cursor ('0' at the end) and, for each entry, its key and its fingerprint: of definition and our
-- field, and of Beat's memory only whether it is there, because each tick changes it. '-' where there is no such hash.

local found = redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local answer = {found[1]}
for at = 1, #found[2], 2 do
  local key = found[2][at]
  local fields = redis.pcall('HMGET', key, 'definition', 'beatdesk', 'meta')
  local print = '-'
  if fields.err then
    print = '!'
  elseif fields[1] or fields[2] or fields[3] then
    local whole = fields[3] and string.find(fields[3], '"last_run_at"', 1, true) and '+' or '-'
    print = whole .. string.sub(redis.sha1hex((fields[1] or '') .. '\0' .. (fields[2] or '-')), 1, 16)
  end
  answer[#answer + 1] = key
  answer[#answer + 1] = print
end
return answer
