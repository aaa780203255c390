-- Renew the lock, and read all that Beat needs to decide about the entries that are due, the longest due first.
--
-- KEYS  1 the lock   2 RedBeat's sorted set of due times   3 the set of static entries
-- ARGV  1 the token   2 milliseconds that the lock lives   3 how many due entries to pass over   4 how many to read
--       5-7 prefixes: alive runs, waiting ticks, entries   8 the root of the uids of entries that have none of their own
--
-- uses: entry
--
-- Answers an empty list where the lock is another's. Otherwise the time; the next due time after it (none: false); the
-- longest due one; how many runs of each entry are alive (none of any: empty); the remarks; then five values for each
-- entry: key, due time, definition, meta, our field. Only a few entries have a remark: the entry's number, 1 for a
-- static one, the waiting ticks, and what is wrong with its key (none: false).

local call, try = redis.call, redis.pcall

if call('GET', KEYS[1]) ~= ARGV[1] then
  return {}
end
call('PEXPIRE', KEYS[1], ARGV[2])
local time = call('TIME')
local now = time[1] .. string.format('.%06d', tonumber(time[2]))
local after_now = '(' .. now
local coming = call('ZRANGEBYSCORE', KEYS[2], after_now, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
local due = call('ZRANGEBYSCORE', KEYS[2], 0, now, 'WITHSCORES', 'LIMIT', ARGV[3], ARGV[4])
local alive_counts, remarks = {}, {}
local answer = {now, coming[2] or false, due[2] or false, alive_counts, remarks}

-- A uuid of version 5, as Python makes it.
local function plain_uid(name)
  local hex = redis.sha1hex(ARGV[8] .. name)
  local variant = string.format('%x', tonumber(string.sub(hex, 17, 17), 16) % 4 + 8)
  return table.concat({string.sub(hex, 1, 8), string.sub(hex, 9, 12), '5' .. string.sub(hex, 14, 16),
    variant .. string.sub(hex, 18, 20), string.sub(hex, 21, 32)}, '-')
end

local function name_of(key)
  return string.sub(key, #ARGV[7] + 1)
end

local match = string.match
local function uid_of(extra, key)
  local uid = extra and match(extra, '^{"uid":"([0-9a-f%-]+)"')
  if uid then
    return uid
  end
  if extra then
    local is_json, decoded = pcall(cjson.decode, extra)
    uid = is_json and type(decoded) == 'table' and type(decoded.uid) == 'string' and decoded.uid
  end
  return uid and string.lower(uid) or plain_uid(name_of(key))
end

-- The entries, with the keys of their alive runs and of their waiting ticks.
local alive_keys, waiting_keys, faults, has_remark = {}, {}, {}, false
local alive_prefix, waiting_prefix = ARGV[5], ARGV[6]
local number, place = 0, #answer
for at = 1, #due, 2 do
  local key = due[at]
  local fields = read_entry(key, try)
  number = number + 1
  if fields.err then
    faults[number], has_remark = fields.err, true
    fields = {false, false, false}
  end
  local uid = uid_of(fields[3], key)
  alive_keys[number], waiting_keys[number] = alive_prefix .. uid, waiting_prefix .. uid
  answer[place + 1], answer[place + 2] = key, due[at + 1]
  answer[place + 3], answer[place + 4], answer[place + 5] = fields[1], fields[2], fields[3]
  place = place + 5
end
if number == 0 then
  return answer
end

-- Nearly always nothing waits, and often nothing is alive: one command finds that out for all entries.
local some_alive = call('EXISTS', unpack(alive_keys)) > 0
local some_waiting = call('EXISTS', unpack(waiting_keys)) > 0
local has_statics = call('SCARD', KEYS[3]) > 0
for entry = 1, some_alive and number or 0 do
  local alive = try('ZCOUNT', alive_keys[entry], after_now, '+inf')
  if type(alive) == 'table' then
    faults[entry], has_remark, alive = faults[entry] or alive.err, true, 0
  end
  alive_counts[entry] = alive
end
for entry = 1, (some_waiting or has_statics or has_remark) and number or 0 do
  local waiting = some_waiting and try('ZRANGE', waiting_keys[entry], 0, -1) or {}
  local static = has_statics and call('SISMEMBER', KEYS[3], name_of(due[entry * 2 - 1])) or 0
  local fault = faults[entry] or waiting.err or false
  if fault or static > 0 or #waiting > 0 then
    remarks[#remarks + 1] = {entry, static, waiting.err and {} or waiting, fault}
  end
end
return answer
