-- Renew the lock, and read all that Beat needs to decide about the entries that are due, the longest due first.
--
-- KEYS  1 the lock   2 RedBeat's sorted set of due times   3 the set of static entries
-- ARGV  1 the token   2 milliseconds that the lock lives   3 how many due entries to pass over   4 how many to read
--       5-7 prefixes: alive runs, waiting ticks, entries   8 the root of the uids of entries that have none of their own
--
-- uses: entry
--
-- Answers an empty list where the lock is another's. Otherwise the time; the next due time after it (none: false); the
-- longest due one; then for each entry: key, name, due time, definition, meta, our field, 1 for a static one, how many
-- runs are alive, the waiting ticks, and what is wrong with its key (none: false).

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return {}
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
local time = redis.call('TIME')
local now = time[1] .. string.format('.%06d', tonumber(time[2]))
local coming = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local due = redis.call('ZRANGEBYSCORE', KEYS[2], 0, now, 'WITHSCORES', 'LIMIT', ARGV[3], ARGV[4])
local answer = {now, coming[2] or false, due[2] or false}
local has_statics = redis.call('SCARD', KEYS[3]) > 0

-- A uuid of version 5, as Python makes it.
local function plain_uid(name)
  local hex = redis.sha1hex(ARGV[8] .. name)
  local variant = string.format('%x', tonumber(string.sub(hex, 17, 17), 16) % 4 + 8)
  return table.concat({string.sub(hex, 1, 8), string.sub(hex, 9, 12), '5' .. string.sub(hex, 14, 16),
    variant .. string.sub(hex, 18, 20), string.sub(hex, 21, 32)}, '-')
end

local function uid_of(extra, name)
  local uid = extra and string.match(extra, '^{"uid":"([%x%-]+)"')
  if extra and not uid then
    local is_json, decoded = pcall(cjson.decode, extra)
    uid = is_json and type(decoded) == 'table' and type(decoded.uid) == 'string' and decoded.uid
  end
  return uid and string.lower(uid) or plain_uid(name)
end

for at = 1, #due, 2 do
  local key = due[at]
  local fields = read_entry(key, redis.pcall)
  local fault = fields.err or false
  if fault then
    fields = {false, false, false}
  end
  local name = string.sub(key, #ARGV[7] + 1)
  local uid = uid_of(fields[3], name)
  local alive = redis.pcall('ZCOUNT', ARGV[5] .. uid, '(' .. now, '+inf')
  local waiting = redis.pcall('ZRANGE', ARGV[6] .. uid, 0, -1)
  if type(alive) == 'table' or waiting.err then
    fault, alive, waiting = (waiting.err or alive.err), 0, {}
  end
  answer[#answer + 1] = {
    key, name, due[at + 1], fields[1], fields[2], fields[3],
    has_statics and redis.call('SISMEMBER', KEYS[3], name) or 0, alive, waiting, fault
  }
end
return answer
