-- Carry out the plans for a batch of entries: each entry whole or not at all, and none where another Beat has the lock.
--
-- The steps go on from those of the decision (`dispatch/plan.py`, 1 to 6):
--   7  The lock: answers -1 where its token is not this Beat's
--   8  Keys that all entries share: a wrong type fails here, before the first write
--   9  Is the entry as it was read? 0 where it was edited, advanced or deleted meanwhile, where the waiting tick that
--      is sent waits no longer, or where the run that new ticks would wait for is over
--  10  Write the entry: lease, message, events, quarantine, meta, waiting ticks. Lua has no rollback, so that only the
--      first write may be refused, and what could fail after it is tried before it
--  11  What goes into one key for all entries (due times, lease records) is gathered, and written at the end, when
--      nothing can be refused any more
--
-- Answers for each entry 1, or 0 (step 9), or the server's reason why it was refused (step 10); where all are 1, only
-- how many they are.
--
-- KEYS  1 the lock   2 RedBeat's sorted set of due times   3 the stream of events   4 all leases   5 lease records
--       6 reasons of entries in quarantine
-- ARGV  1 the token   2 field of an event   3-4 prefixes: alive runs, waiting ticks
--       5 the entries: a list of texts in MessagePack, since one argument of many texts costs the server half of what
--       many arguments cost. They have two forms, each behind its letter. 'u', the usual form, is for neighbours that
--       each send one run by one LPUSH into the same queue, and need nothing else:
--       1 how many entries   2 the queue   3 '1' where our own field was read, '0' where there was none   4 until when
--       the runs are alive   then for each entry:
--       1 key   2-4 the fields as they were read: definition, meta, our own   5 the new meta   6 due time
--       7 the key of its alive runs   8 the run   9 its lease record   10 the message   11 the event ('' for none)
--       'e', the whole form, is for one entry:
--       1 key   2 four flags, '1' or '0': definition, meta and our own field were read; there is a new meta
--       3-5 the three fields as they were read
--       6 the new meta (not there: it stays as it is)
--       7 due time; '' takes a key that is gone off the set   8 name   9 uid
--       10 the run that is sent ('' for none)   11 its lease record   12 until when it is alive
--       13 the waiting tick that is sent ('' for none)   14 '1' where the step is void once no run is alive
--       15 why it goes into quarantine ('' where it does not)
--       then, each after their number: messages as commands, each after the number of its parts; events; ticks that
--       wait no longer; ticks that wait from now on
--
-- uses: entry
-- (storage/entry.lua is put in front of this text: read_entry, is_as_it_was_read)

local call, try = redis.call, redis.pcall
local EVENT_FIELD, ALIVE, WAITING = ARGV[2], ARGV[3], ARGV[4]

-- Step 7.
if call('GET', KEYS[1]) ~= ARGV[1] then
  return -1
end
-- Step 8.
call('XLEN', KEYS[3])
call('HLEN', KEYS[5])
call('HLEN', KEYS[6])
call('ZCARD', KEYS[2])
call('ZCARD', KEYS[4])
local time = call('TIME')
local now = time[1] .. string.format('.%06d', tonumber(time[2]))

local arg = cmsgpack.unpack(ARGV[5])
-- An entry is the place of its key in `arg`, and a list the place of its length: no tables are made of them, which would
-- take a seventh of the script's time. What else an entry has stands so far behind its key:
local FLAGS, META, SCORE, NAME, UID, RUN = 1, 5, 6, 7, 8, 9
local OWNER, ALIVE_UNTIL, SENT_WAITING, NEEDS_ALIVE, QUARANTINE, COMMANDS = 10, 11, 12, 13, 14, 15
local NO_FIELDS = {false, false, false}

local owners, leases, scores = {}, {}, {}

local function behind(list)
  return list + 1 + tonumber(arg[list])
end

local function waiting_of(entry)
  return WAITING .. arg[entry + UID]
end

local function has_flag(entry, number)
  return string.sub(arg[entry + FLAGS], number, number) == '1'
end

-- Step 9.
local function is_as_read(entry)
  local fields = read_entry(arg[entry], try)
  if not is_as_it_was_read(fields.err and NO_FIELDS or fields, arg, entry + FLAGS) then
    return false
  end
  local sent = arg[entry + SENT_WAITING]
  if sent ~= '' and type(try('ZSCORE', waiting_of(entry), sent)) ~= 'string' then
    return false
  end
  local alive = arg[entry + NEEDS_ALIVE] ~= '1' or try('ZCOUNT', ALIVE .. arg[entry + UID], '(' .. now, '+inf')
  return alive ~= 0 and type(alive) ~= 'table'
end

-- Step 10, before the first write: the reason why a later one would fail.
local function fault_of(entry, drop, wait)
  if arg[drop] ~= '0' or arg[wait] ~= '0' then
    local waiting = try('ZCARD', waiting_of(entry))
    if type(waiting) == 'table' then
      return waiting.err
    end
  end
  local command = entry + COMMANDS + 1
  for _ = 2, tonumber(arg[entry + COMMANDS]) do
    command = behind(command)
    local kind = call('TYPE', arg[command + 2]).ok
    if arg[command + 1] == 'LPUSH' and kind ~= 'list' and kind ~= 'none' then
      return 'WRONGTYPE ' .. arg[command + 2] .. ' is not a queue'
    end
  end
end

local function error_of(answer)
  return type(answer) == 'table' and answer.err or nil
end

-- Answers the server's reason to refuse; only an entry's first write may be refused.
local function write(first, ...)
  return error_of((first and try or call)(...))
end

-- Step 10.
local function write_entry(entry, events, drop, wait)
  local run, first, added, refused = arg[entry + RUN], true, false, nil
  local alive = ALIVE .. arg[entry + UID]
  if run ~= '' then
    added = try('ZADD', alive, arg[entry + ALIVE_UNTIL], run)
    refused = error_of(added)
    if refused then
      return refused
    end
  end
  local command = entry + COMMANDS + 1
  while command < events do
    refused = write(first, unpack(arg, command + 1, behind(command) - 1))
    if refused then
      if added == 1 then
        call('ZREM', alive, run)
      end
      return refused
    end
    first, command = false, behind(command)
  end
  for event = events + 1, drop - 1 do
    refused = write(first, 'XADD', KEYS[3], '*', EVENT_FIELD, arg[event])
    if refused then
      return refused
    end
    first = false
  end
  if arg[entry + QUARANTINE] ~= '' then
    refused = write(first, 'HSET', KEYS[6], arg[entry + NAME], arg[entry + QUARANTINE])
    if refused then
      return refused
    end
    first = false
  end
  if has_flag(entry, 4) then
    refused = write(first, 'HSET', arg[entry], 'meta', arg[entry + META])
    if refused then
      return refused
    end
  end
  for tick = drop + 1, wait - 1 do
    call('ZREM', waiting_of(entry), arg[tick])
  end
  for tick = wait + 1, behind(wait) - 1 do
    call('ZADD', waiting_of(entry), 0, arg[tick])  -- ticks are texts in the order of time
  end
  scores[#scores + 1], scores[#scores + 2] = arg[entry + SCORE], arg[entry]
  if run ~= '' then
    owners[#owners + 1], owners[#owners + 2] = run, arg[entry + OWNER]
    leases[#leases + 1], leases[#leases + 2] = arg[entry + ALIVE_UNTIL], run
  end
  return 1
end

local answer, done = {}, 0

-- An entry in the whole form. Returns the place behind it.
local function carry_out(entry)
  local events = entry + COMMANDS + 1
  for _ = 1, tonumber(arg[entry + COMMANDS]) do
    events = behind(events)
  end
  local drop = behind(events)
  local wait = behind(drop)
  -- An entry of which something was read is compared in step 9; only one of which nothing was read is looked for here.
  local exists = has_flag(entry, 1) or call('EXISTS', arg[entry]) == 1
  local result = 0
  if arg[entry + SCORE] == '' then
    result = exists and 0 or call('ZREM', KEYS[2], arg[entry])
  elseif exists and is_as_read(entry) then
    result = fault_of(entry, drop, wait) or write_entry(entry, events, drop, wait)
  end
  answer[#answer + 1] = result
  done = done + (result == 1 and 1 or 0)
  return behind(wait)
end

-- Neighbours in the usual form: steps 9 and 10 for all of them, with one LPUSH. Returns the place behind them.
local WIDTH = 11
local function carry_out_usual(group)
  local queue, has_extra, till = arg[group + 1], arg[group + 2] == '1', arg[group + 3]
  local first = group + 4
  local past = first + WIDTH * tonumber(arg[group])
  local ready, numbers, added, messages, number, count = {}, {}, {}, {}, #answer, 0
  -- An entry's first write; a queue that refuses the messages takes it back.
  for entry = first, past - 1, WIDTH do
    local fields = try('HMGET', arg[entry], 'definition', 'meta', 'beatdesk')
    local result = 0
    if fields[1] == arg[entry + 1] and fields[2] == arg[entry + 2] and fields[3] == (has_extra and arg[entry + 3]) then
      result = try('ZADD', arg[entry + 6], till, arg[entry + 7])
      if type(result) == 'number' then
        count = count + 1
        ready[count], numbers[count], added[count], messages[count] = entry, number + 1, result, arg[entry + 9]
        result = 1
      else
        result = result.err
      end
    end
    number = number + 1
    answer[number] = result
  end
  local refused = count > 0 and error_of(try('LPUSH', queue, unpack(messages)))
  for at = 1, count do
    local entry = ready[at]
    local run = arg[entry + 7]
    if refused then
      answer[numbers[at]] = refused
      if added[at] == 1 then
        call('ZREM', arg[entry + 6], run)
      end
    else
      if arg[entry + 10] ~= '' then
        call('XADD', KEYS[3], '*', EVENT_FIELD, arg[entry + 10])
      end
      call('HSET', arg[entry], 'meta', arg[entry + 4])
      scores[#scores + 1], scores[#scores + 2] = arg[entry + 5], arg[entry]
      owners[#owners + 1], owners[#owners + 2] = run, arg[entry + 8]
      leases[#leases + 1], leases[#leases + 2] = till, run
    end
  end
  done = done + (refused and 0 or count)
  return past
end

local place = 1
while place <= #arg do
  place = (arg[place] == 'u' and carry_out_usual or carry_out)(place + 1)
end
-- Step 11.
if #scores > 0 then
  local refused = error_of(try('ZADD', KEYS[2], 'XX', unpack(scores)))
  done = refused and 0 or done
  for number = 1, refused and #answer or 0 do
    answer[number] = answer[number] == 1 and refused or answer[number]
  end
end
if #owners > 0 then
  call('HSET', KEYS[5], unpack(owners))
  call('ZADD', KEYS[4], unpack(leases))
end
return done == #answer and done or answer
