-- Carry out what is planned for a chunk of entries: each whole or not at all, and none where the lock is another's.
--
-- KEYS  1 the lock   2 RedBeat's sorted set of due times   3 the stream of events   4 all leases   5 their owners
--       6 why entries are set aside
-- ARGV  1 the token   2 field of an event   3-4 prefixes: alive runs, waiting ticks
--       then for each entry:
--       1 key   2-4 definition, meta and our field as they were read ('-' where absent, otherwise '+' and the text)
--       5 the new meta in the same form; '-' leaves it as it is   6 due time; '' takes a key that is gone off the set
--       7 name   8 uid   9 the run that is sent ('' for none)   10 what is known of it   11 until when it is alive
--       12 what of the waiting ticks is sent ('' for none)   13 '1' where the plan holds only while a run is alive
--       14 why it is set aside ('' where it is not)
--       then, each after their number: messages as commands, each after the number of its parts; events; what waits no
--       longer; what waits from now on
--
-- Answers -1 where the lock is another's; otherwise for each entry 1, or 0 where it is not as it was read, or the
-- server's word why it was refused. Lua has no rollback: the first write of an entry is the one that may be refused,
-- and what could fail after it is tried before it.

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

local at = 4
local function take()
  at = at + 1
  return ARGV[at]
end

local function list(each)
  local found = {}
  for number = 1, tonumber(take()) do
    found[number] = each()
  end
  return found
end

local function command()
  return list(take)
end

local function read_entry()
  local entry = {
    key = take(), was = {take(), take(), take()}, meta = take(), score = take(), name = take(), uid = take(),
    run = take(), owner = take(), till = take(), taken = take(), needs_alive = take(), aside = take()
  }
  entry.commands, entry.events, entry.drop, entry.hold = list(command), list(take), list(take), list(take)
  entry.alive, entry.waiting = ARGV[3] .. entry.uid, ARGV[4] .. entry.uid
  return entry
end

local function is_as_read(entry)
  local current = redis.pcall('HMGET', entry.key, 'definition', 'meta', 'beatdesk')
  if current.err then
    current = {false, false, false}
  end
  for field = 1, 3 do
    local value = current[field]
    if (value and '+' .. value or '-') ~= entry.was[field] then
      return false
    end
  end
  if entry.taken ~= '' and not redis.call('ZSCORE', entry.waiting, entry.taken) then
    return false
  end
  if entry.needs_alive == '1' and redis.call('ZCOUNT', entry.alive, '(' .. now, '+inf') == 0 then
    return false
  end
  return true
end

-- What would fail after the first write.
local function fault_of(entry)
  local moves_waiting = #entry.drop + #entry.hold > 0
  local alive = (entry.run ~= '' or moves_waiting) and redis.pcall('ZCARD', entry.alive)
  if type(alive) == 'table' and alive.err then
    return alive.err
  end
  local waiting = moves_waiting and redis.pcall('ZCARD', entry.waiting)
  if type(waiting) == 'table' and waiting.err then
    return waiting.err
  end
  for number = 2, #entry.commands do
    local parts = entry.commands[number]
    local kind = redis.call('TYPE', parts[2]).ok
    if parts[1] == 'LPUSH' and kind ~= 'list' and kind ~= 'none' then
      return 'WRONGTYPE ' .. parts[2] .. ' is no queue'
    end
  end
end

local function move_on(entry)
  local first = true
  local function write(...)
    local answer = (first and redis.pcall or redis.call)(...)
    if first and type(answer) == 'table' and answer.err then
      return answer.err
    end
    first = false
  end
  for _, parts in ipairs(entry.commands) do
    local refused = write(unpack(parts))
    if refused then
      return refused
    end
  end
  for _, event in ipairs(entry.events) do
    local refused = write('XADD', KEYS[3], '*', ARGV[2], event)
    if refused then
      return refused
    end
  end
  local refused = write('ZADD', KEYS[2], 'XX', entry.score, entry.key)
  if refused then
    return refused
  end
  for _, tick in ipairs(entry.drop) do
    redis.call('ZREM', entry.waiting, tick)
  end
  for _, tick in ipairs(entry.hold) do
    redis.call('ZADD', entry.waiting, 0, tick)  -- ticks are texts in the order of time
  end
  if entry.run ~= '' then
    redis.call('HSET', KEYS[5], entry.run, entry.owner)
    redis.call('ZADD', KEYS[4], entry.till, entry.run)
    redis.call('ZADD', entry.alive, entry.till, entry.run)
  end
  if entry.meta ~= '-' then
    redis.call('HSET', entry.key, 'meta', string.sub(entry.meta, 2))
  end
  if entry.aside ~= '' then
    redis.call('HSET', KEYS[6], entry.name, entry.aside)
  end
  return 1
end

local answer = {}
while at < #ARGV do
  local entry = read_entry()
  -- What was read of an entry is compared, so that only one of which nothing was read has to be asked for.
  local exists = entry.was[1] ~= '-' or redis.call('EXISTS', entry.key) == 1
  if entry.score == '' then
    answer[#answer + 1] = exists and 0 or redis.call('ZREM', KEYS[2], entry.key)
  elseif not exists or not is_as_read(entry) then
    answer[#answer + 1] = 0
  else
    answer[#answer + 1] = fault_of(entry) or move_on(entry)
  end
end
return answer
