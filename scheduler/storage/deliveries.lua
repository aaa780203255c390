-- Deliveries of a run's message, and ends whose message is not acknowledged yet, for scripts.
--
-- A run's deliveries are 'begun all': how many began and did not end, and how many did not end at all. They are counted
-- only where a worker ended with a message in its hands, and forgotten when the message is acknowledged, or by age.

local REMEMBER_SECONDS = 8 * 86400  -- longer than a message may wait in its queue

local function read_deliveries(key, run)
  local begun, all = string.match(redis.call('HGET', key, run) or '', '^(%d+) (%d+)$')
  return tonumber(begun) or 0, tonumber(all) or 0
end

-- Count one delivery more that did not end; `begun` is 1 where it began.
local function count_delivery(key, until_key, run, begun, now)
  local begun_before, all_before = read_deliveries(key, run)
  redis.call('HSET', key, run, (begun_before + begun) .. ' ' .. (all_before + 1))
  redis.call('ZADD', until_key, math.floor(now) + REMEMBER_SECONDS, run)
end

-- The end of one attempt's message, where another message carries the next attempt on.
local function attempt_end(run, retries)
  return run .. ' ' .. retries
end

-- Is the end of the run recorded, or of the attempt that the message with these retries is for?
local function has_ended(key, run, retries)
  return redis.call('ZSCORE', key, run) or redis.call('ZSCORE', key, attempt_end(run, retries))
end

-- The field with the tag of a second message of a run, which waits while a worker has the run.
local function waiting_field(run)
  return run .. ' wait'
end

local function note_end(key, end_, now)
  redis.call('ZADD', key, math.floor(now) + REMEMBER_SECONDS, end_)
end

-- The message is acknowledged: nothing of its end needs to be remembered, nor of the deliveries of a run that has ended.
-- `keys`: ended, deliveries, deliveries_until.
local function forget_end(keys, run, retries)
  redis.call('ZREM', keys.ended, attempt_end(run, retries))
  if redis.call('ZREM', keys.ended, run) == 1 then
    redis.call('HDEL', keys.deliveries, run)
    redis.call('ZREM', keys.deliveries_until, run)
  end
end
