-- Acknowledge a message, except where another worker has its run by now: then the message is that worker's.
--
-- KEYS  1 unacknowledged messages   2 their tags by time   3 lease records   4 ends without acknowledgement
--       5 deliveries   6 until when they are remembered
-- ARGV  1 tag   2 run   3 its message's retries   4 the worker's name as one word
--
-- Answers 1, or 0 where another worker has the run.
-- uses: lease, deliveries

local run, retries = ARGV[2], tonumber(ARGV[3])
local record = redis.call('HGET', KEYS[3], run)
local lease = record and decode_lease(record) or nil
local begun = lease and is_held(lease) and read_deliveries(KEYS[5], run) or 0
local is_this_attempt = lease and is_held(lease) and tonumber(lease.attempt) == retries + begun + 1
if is_this_attempt and worker_name(lease.worker) ~= ARGV[4] then
  return 0
end
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 0 then
  return 1  -- it is in its queue again, where the note of its end is needed
end
if is_this_attempt then  -- a task that is acknowledged before it runs: its end needs no note
  lease.worker = '=' .. ARGV[4]
  redis.call('HSET', KEYS[3], run, encode_lease(lease))
  return 1
end
-- A second message of the run, which waited for its end, is acknowledged with it.
local waiting = redis.call('HGET', KEYS[5], waiting_field(run))
if waiting then
  redis.call('HDEL', KEYS[5], waiting_field(run))
  redis.call('ZREM', KEYS[6], waiting_field(run))
  if waiting ~= ARGV[1] and has_ended(KEYS[4], run, retries) then
    redis.call('ZREM', KEYS[2], waiting)
    if redis.call('HDEL', KEYS[1], waiting) == 0 then
      return 1  -- it is in its queue again, where it is dropped
    end
  end
end
forget_end({ended = KEYS[4], deliveries = KEYS[5], deliveries_until = KEYS[6]}, run, retries)
return 1
