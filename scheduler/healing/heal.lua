-- One repair of one entry, whole or not at all, and only of exactly what was found.
--
-- KEYS  1 the entry's hash   2 RedBeat's sorted set of due times   3 the stream of events   4 the set of statics
-- ARGV  1-4 the entry as it was found
--       5 '1' where the entry stood in the sorted set, so that a deletion of what is left of it is seen
--       6-9 the entry as it is to be; one without a definition is deleted
--       10 score   11 field of the event   12 the event, or '' for none   13 wake channel   14 name
--       15 '1' for a static entry   16 '1' where it was a static entry when it was found
-- uses: entry
--
-- Answers 1, or 0 where somebody else was quicker. Lua has no rollback: what can fail is tried before the first write.

local FOUND, NEW = 1, 6
local kind = redis.call('TYPE', KEYS[1]).ok
if kind ~= 'hash' and kind ~= 'none' then
  return 0
end
if not is_as_it_was_read(read_entry(KEYS[1], redis.call), ARGV, FOUND) then
  return 0
end
if (redis.call('ZSCORE', KEYS[2], KEYS[1]) and '1' or '0') ~= ARGV[5] then
  return 0
end
if tostring(redis.call('SISMEMBER', KEYS[4], ARGV[14])) ~= ARGV[16] then
  return 0
end
redis.call('XLEN', KEYS[3])

if ARGV[12] ~= '' then
  redis.call('XADD', KEYS[3], '*', ARGV[11], ARGV[12])
end
if has_definition(ARGV, NEW) then
  write_entry(KEYS[1], ARGV, NEW)
  redis.call('ZADD', KEYS[2], ARGV[10], KEYS[1])
  if ARGV[15] == '1' then
    redis.call('SADD', KEYS[4], ARGV[14])
  end
else
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], KEYS[1])
end
redis.call('PUBLISH', ARGV[13], ARGV[14])
return 1
