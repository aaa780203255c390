-- Append events, and with each what it means for the lease of its run.
--
-- KEYS  1 the stream of events   2 all leases   3 their owners   4 RedBeat's sorted set of due times
--       5 failures in a row, by schedule   6 which message has which run that came by the outbox
--       7 until when that is remembered   8 those of them that may have a second message
--       9 ends whose message is not acknowledged   10 deliveries that did not end   11 until when they are remembered
-- ARGV  1 field of an event   2-4 prefixes: alive runs, waiting ticks, entries   5 seconds that a message may wait   6 wake channel
--       then for each event: the event ('' where nothing is told), its effect ('none' or below), run, argument
--   queued    the message is in its queue; a run that counts does so as long as it may be there
--   hold      a worker has it: the argument is 'seconds uid attempt worker name'
--   requeue   an attempt failed and the next one is in the queue: the argument is the next attempt's number
--   redeliver an attempt was stopped and its own message comes back: the argument is the next attempt's number
--   return    its worker, who has not begun, gives its message back: the argument is 'attempt worker', as they were held
--   abandon   its worker, who has not begun, is gone: the argument is the record, and nothing happens if it is another now
--   release   it is over: the argument is 'failed', 'succeeded' or '-', and behind a space the attempt that ended
--   drop      it never was: its message was not sent
--   lose      as release, but only if its record is still the argument and its time is over: otherwise no event
--   gone      as lose, whatever its time: its message is gone. The argument is '' for a run without a record
--   cancel    as gone, and for good: a message that turns up again must not start it
--
-- Answers the schedules whose ticks have failed as often in a row as their policy allows: 'count uid name'.
-- An owner is the record of a lease. What a worker reports of an attempt whose run another worker has by now is history,
-- and changes no lease.
-- uses: lease, deliveries

local OVER_SECONDS = 600  -- how long a run is remembered after its end that can have no second message
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local streaks = {}
redis.call('XLEN', KEYS[1])
redis.call('ZCARD', KEYS[2])
redis.call('HLEN', KEYS[3])

local function owner_of(run)
  local text = redis.call('HGET', KEYS[3], run)
  local owner = text and decode_lease(text) or nil
  if owner then
    owner.text = text
  end
  return owner
end

local function keep(run, owner, till)
  redis.call('HSET', KEYS[3], run, encode_lease(owner))
  local score = string.format('%.6f', till)
  redis.call('ZADD', KEYS[2], score, run)
  if owner.uid ~= '-' then
    redis.call('ZADD', ARGV[2] .. owner.uid, score, run)
  end
end

-- A run in its queue counts until its message expires, or as long as a message may wait.
local function keep_queued(run, owner)
  local till = tonumber(string.match(owner.till, '^[^;]*')) or 0
  owner.worker = '-'
  keep(run, owner, till > 0 and till or now + tonumber(ARGV[5]))
end

local function release(run, owner, outcome)
  redis.call('HDEL', KEYS[3], run)
  redis.call('ZREM', KEYS[2], run)
  redis.call('ZREM', ARGV[2] .. owner.uid, run)
  local waiting, entry = ARGV[3] .. owner.uid, ARGV[4] .. owner.name
  if redis.call('EXISTS', waiting) == 1 then
    if redis.call('EXISTS', entry) == 1 then
      redis.call('ZADD', KEYS[4], 'XX', string.format('%.3f', math.floor(now * 1000) / 1000), entry)
      redis.call('PUBLISH', ARGV[6], owner.name)
    else
      redis.call('DEL', waiting)
    end
  end
  local most = tonumber(owner.failures) or 0
  if most > 0 and outcome == 'succeeded' then
    redis.call('HDEL', KEYS[5], owner.uid)
  elseif most > 0 and outcome == 'failed' then
    local count = redis.call('HINCRBY', KEYS[5], owner.uid, 1)
    if count >= most then
      streaks[#streaks + 1] = count .. ' ' .. owner.uid .. ' ' .. owner.name
    end
  end
end

-- A second message must not start it again; its own may where it is lost.
local function remember(run, lost)
  local message = redis.call('HGET', KEYS[6], run)
  if message and lost then
    redis.call('HSET', KEYS[6], run, string.match(message, '^%S+') .. ' lost')
  elseif message and not redis.call('ZSCORE', KEYS[8], run) then
    redis.call('ZADD', KEYS[7], 'XX', math.floor(now) + OVER_SECONDS, run)
  end
end

-- Has another delivery the run, by a worker that does not report this?
local function is_of_later(owner, attempt)
  return owner ~= nil and is_held(owner) and tonumber(owner.attempt) > attempt
end

local function is_as_given(run, owner, record)
  local till = redis.call('ZSCORE', KEYS[2], run)
  return owner ~= nil and owner.text == record and till ~= false and tonumber(till) < now
end

-- What each effect does to the lease of its run; `owner` is nil where the run has none.
local effects = {}

function effects.queued(run, owner)
  if owner and not is_held(owner) then
    keep_queued(run, owner)
  end
end

function effects.hold(run, owner, argument)
  local seconds, uid, attempt, worker, name = string.match(argument, '^(%S+) (%S+) (%S+) (%S+) (.*)$')
  if is_of_later(owner, tonumber(attempt)) then
    return
  end
  owner = owner or {failures = '0', till = '0'}
  owner.uid, owner.attempt, owner.worker, owner.name = uid, attempt, worker, name
  keep(run, owner, now + tonumber(seconds))
end

function effects.requeue(run, owner, argument)
  local begun = read_deliveries(KEYS[10], run)
  note_end(KEYS[9], attempt_end(run, string.format('%d', tonumber(argument) - begun - 2)), now)
  if owner and not (is_held(owner) and tonumber(owner.attempt) >= tonumber(argument)) then
    owner.attempt, owner.worker, owner.till = argument, '-', '0'
    keep(run, owner, now + tonumber(ARGV[5]))
  end
end

function effects.redeliver(run, owner, argument)
  if owner and is_held(owner) and tonumber(owner.attempt) < tonumber(argument) then
    count_delivery(KEYS[10], KEYS[11], run, 1, now)
    owner.attempt, owner.till = argument, '0'
    keep_queued(run, owner)
  end
end

effects['return'] = function(run, owner, argument)
  local attempt, worker = string.match(argument, '^(%S+) (%S+)$')
  if owner and is_held(owner) and owner.attempt == attempt and worker_name(owner.worker) == worker_name(worker) then
    keep_queued(run, owner)
  end
end

function effects.abandon(run, owner, argument)
  if is_as_given(run, owner, argument) then
    count_delivery(KEYS[10], KEYS[11], run, 0, now)
    keep_queued(run, owner)
  end
end

function effects.release(run, owner, argument)
  local outcome, attempt = string.match(argument, '^(%S+) (%d+)$')
  if not owner or string.sub(owner.worker, 1, 1) ~= '=' then  -- '=': its message is acknowledged already
    note_end(KEYS[9], run, now)
  end
  if owner and not is_of_later(owner, tonumber(attempt)) then
    release(run, owner, outcome)
    remember(run, false)
  end
end

function effects.drop(run, owner)
  if owner then
    release(run, owner, '-')
    remember(run, false)
  end
end

function effects.lose(run, owner)
  if is_received(owner) then
    count_delivery(KEYS[10], KEYS[11], run, 1, now)
  end
  release(run, owner, '-')
  remember(run, true)
end

function effects.gone(run, owner)
  if owner then
    effects.lose(run, owner)
  end
end

function effects.cancel(run, owner)
  note_end(KEYS[9], run, now)
  if owner then
    release(run, owner, '-')
    remember(run, false)
  end
end

for at = 7, #ARGV, 4 do
  local event, effect, run, argument = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local owner = effect ~= 'none' and owner_of(run) or nil
  local holds = true
  if effect == 'lose' then
    holds = is_as_given(run, owner, argument)
  elseif effect == 'gone' or effect == 'cancel' then
    holds = (owner and owner.text or '') == argument
  end
  if holds and event ~= '' then
    redis.call('XADD', KEYS[1], '*', ARGV[1], event)
  end
  if holds and effect ~= 'none' then
    effects[effect](run, owner, argument)
  end
end
return streaks
