-- Read all that Beat needs to decide about one entry.
--
-- KEYS  1 the entry's hash   2 RedBeat's sorted set of due times   3 the set of static entries
-- ARGV  1 name   2 the uid of an entry that has none of its own   3-4 prefixes: alive runs, waiting ticks
--
-- uses: entry
--
-- Answers definition, meta, our field, 1 for a static entry, due time, how many runs are alive, the waiting ticks.

local fields = read_entry(KEYS[1], redis.call)
local uid = ARGV[2]
if fields[3] then
  local is_json, extra = pcall(cjson.decode, fields[3])
  if is_json and type(extra) == 'table' and type(extra.uid) == 'string' then
    uid = string.lower(extra.uid)
  end
end
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
return {
  fields[1], fields[2], fields[3],
  redis.call('SISMEMBER', KEYS[3], ARGV[1]),
  redis.call('ZSCORE', KEYS[2], KEYS[1]),
  redis.call('ZCOUNT', ARGV[3] .. uid, '(' .. string.format('%.6f', now), '+inf'),
  redis.call('ZRANGE', ARGV[4] .. uid, 0, -1),
}
