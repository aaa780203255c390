-- Carry out what is planned for a chunk of entries: each whole or not at all, and none where the lock is another's.
--
-- KEYS  1 the lock   2 RedBeat's sorted set of due times   3 the stream of events   4 all leases   5 their owners
--       6 why entries are set aside
-- ARGV  1 the token   2 field of an event   3-4 prefixes: alive runs, waiting ticks
--       then for each entry:
--       1 key   2 of the four that follow, '1' for each that is there, '0' for each that is not
--       3-5 definition, meta and our field as they were read   6 the new meta (not there: it stays as it is)
--       7 due time; '' takes a key that is gone off the set   8 name   9 uid
--       10 the run that is sent ('' for none)   11 what is known of it   12 until when it is alive
--       13 what of the waiting ticks is sent ('' for none)   14 '1' where the plan holds only while a run is alive
--       15 why it is set aside ('' where it is not)
--       then, each after their number: messages as commands, each after the number of its parts; events; what waits no
--       longer; what waits from now on
--
-- Answers -1 where the lock is another's; otherwise for each entry 1, or 0 where it is not as it was read, or the
-- server's word why it was refused. Lua has no rollback: the first write of an entry is the one that may be refused,
-- and what could fail after it is tried before it. What goes into one key for all entries is gathered, and written in
-- the end, when nothing can be refused any more.

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return -1
end
redis.call('XLEN', KEYS[3])
redis.call('HLEN', KEYS[5])
redis.call('HLEN', KEYS[6])
redis.call('ZCARD', KEYS[2])
redis.call('ZCARD', KEYS[4])
local time = redis.call('TIME')
local now = time[1] .. string.format('.%06d', tonumber(time[2]))

local at = 5
local owners, leases, scores = {}, {}, {}

local function list()
  local found, last = {}, at + tonumber(ARGV[at])
  for number = at + 1, last do
    found[number - at] = ARGV[number]
  end
  at = last + 1
  return found
end

local function read_entry()
  local entry = {
    key = ARGV[at], there = ARGV[at + 1], meta = ARGV[at + 5], score = ARGV[at + 6], name = ARGV[at + 7],
    run = ARGV[at + 9], owner = ARGV[at + 10], till = ARGV[at + 11], taken = ARGV[at + 12],
    needs_alive = ARGV[at + 13] == '1', aside = ARGV[at + 14], first = at, commands = {},
    alive = ARGV[3] .. ARGV[at + 8], waiting = ARGV[4] .. ARGV[at + 8]
  }
  local commands = tonumber(ARGV[at + 15])
  at = at + 16
  for number = 1, commands do
    entry.commands[number] = list()
  end
  entry.events, entry.drop, entry.hold = list(), list(), list()
  return entry
end

local function is_there(entry, number)
  return string.sub(entry.there, number, number) == '1'
end

local function is_as_read(entry)
  local current = redis.pcall('HMGET', entry.key, 'definition', 'meta', 'beatdesk')
  for field = 1, 3 do
    local value = not current.err and current[field]
    if (value or '') ~= ARGV[entry.first + 1 + field] or (value and true or false) ~= is_there(entry, field) then
      return false
    end
  end
  if entry.taken ~= '' and not redis.call('ZSCORE', entry.waiting, entry.taken) then
    return false
  end
  if entry.needs_alive and redis.call('ZCOUNT', entry.alive, '(' .. now, '+inf') == 0 then
    return false
  end
  return true
end

-- What would fail after the first write.
local function fault_of(entry)
  if #entry.drop + #entry.hold > 0 then
    local waiting = redis.pcall('ZCARD', entry.waiting)
    if type(waiting) == 'table' then
      return waiting.err
    end
  end
  for number = 2, #entry.commands do
    local parts = entry.commands[number]
    local kind = redis.call('TYPE', parts[2]).ok
    if parts[1] == 'LPUSH' and kind ~= 'list' and kind ~= 'none' then
      return 'WRONGTYPE ' .. parts[2] .. ' is no queue'
    end
  end
end

local function error_of(answer)
  return type(answer) == 'table' and answer.err or nil
end

local function move_on(entry)
  local first, counts_alive = true, false
  local function write(...)
    local answer = (first and redis.pcall or redis.call)(...)
    local refused = first and error_of(answer)
    if refused then
      return refused
    end
    first = false
  end
  if entry.run ~= '' then
    counts_alive = redis.pcall('ZADD', entry.alive, entry.till, entry.run)
    local refused = error_of(counts_alive)
    if refused then
      return refused
    end
  end
  for _, parts in ipairs(entry.commands) do
    local refused = write(unpack(parts))
    if refused then
      if counts_alive == 1 then
        redis.call('ZREM', entry.alive, entry.run)
      end
      return refused
    end
  end
  for _, event in ipairs(entry.events) do
    local refused = write('XADD', KEYS[3], '*', ARGV[2], event)
    if refused then
      return refused
    end
  end
  if entry.aside ~= '' then
    local refused = write('HSET', KEYS[6], entry.name, entry.aside)
    if refused then
      return refused
    end
  end
  if is_there(entry, 4) then
    local refused = write('HSET', entry.key, 'meta', entry.meta)
    if refused then
      return refused
    end
  end
  for _, tick in ipairs(entry.drop) do
    redis.call('ZREM', entry.waiting, tick)
  end
  for _, tick in ipairs(entry.hold) do
    redis.call('ZADD', entry.waiting, 0, tick)  -- ticks are texts in the order of time
  end
  scores[#scores + 1], scores[#scores + 2] = entry.score, entry.key
  if entry.run ~= '' then
    owners[#owners + 1], owners[#owners + 2] = entry.run, entry.owner
    leases[#leases + 1], leases[#leases + 2] = entry.till, entry.run
  end
  return 1
end

local answer = {}
while at <= #ARGV do
  local entry = read_entry()
  -- What was read of an entry is compared, so that only one of which nothing was read has to be asked for.
  local exists = is_there(entry, 1) or redis.call('EXISTS', entry.key) == 1
  if entry.score == '' then
    answer[#answer + 1] = exists and 0 or redis.call('ZREM', KEYS[2], entry.key)
  elseif not exists or not is_as_read(entry) then
    answer[#answer + 1] = 0
  else
    answer[#answer + 1] = fault_of(entry) or move_on(entry)
  end
end
if #scores > 0 then
  local refused = error_of(redis.pcall('ZADD', KEYS[2], 'XX', unpack(scores)))
  for number = 1, refused and #answer or 0 do
    answer[number] = answer[number] == 1 and refused or answer[number]
  end
end
if #owners > 0 then
  redis.call('HSET', KEYS[5], unpack(owners))
  redis.call('ZADD', KEYS[4], unpack(leases))
end
return answer
