-- KEYS 1 events  2 dead letters
-- ARGV 1 consumer group  2 entry  3 error  4 tries  5 most letters  6 most fields  7 field of the past  8 prefix
-- Answers whether the entry was still there, and how many of the oldest letters were lost to make room.
local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1]
local lost = 0
if found then
  local tries, retries, first = 0, 0, ARGV[2]
  local fields = {}
  for at = 1, #found[2], 2 do
    local name, value = found[2][at], found[2][at + 1]
    local old_tries, old_retries, old_first = string.match(value, '^(%d+) (%d+) (%S+)$')
    if name == ARGV[7] and old_tries then
      tries, retries, first = tonumber(old_tries), tonumber(old_retries), old_first
    elseif #fields < 2 * tonumber(ARGV[6]) then
      fields[#fields + 1] = ARGV[8] .. name
      fields[#fields + 1] = value
    end
  end
  redis.call('XADD', KEYS[2], '*', 'entry', ARGV[2], 'error', ARGV[3], 'tries', tries + tonumber(ARGV[4]),
    'retries', retries, 'first', first, unpack(fields))
  lost = redis.call('XTRIM', KEYS[2], 'MAXLEN', '~', ARGV[5])
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
redis.call('XDEL', KEYS[1], ARGV[2])
return {found and 1 or 0, lost}
