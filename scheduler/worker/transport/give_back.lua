-- Put an unacknowledged message into its queues again, as it was read, or nothing.
--
-- KEYS  1 unacknowledged messages   2 their tags by time   3 all leases   4 their records   5 deliveries
--       6 until when they are remembered   7 ends without acknowledgement   then the lists
-- ARGV  1 tag   2 the message as it was read   3 the message as it goes into the lists   4 LPUSH or RPUSH
--       5 the age in seconds from which it is given back ('': any)
--       6 its run ('': none, or the message is not this worker's)   7 the worker's name as one word
--       8 '1' where the worker has begun   9 seconds for which a message may wait   10 prefix: alive runs
--       11 the message's retries
--
-- Answers 1, or 0 where the message is another's by now, acknowledged, or not old enough. The message of a run that has
-- ended is acknowledged: its worker stops between the end and the acknowledgement.
-- uses: lease, deliveries

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local score = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]))
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
if ARGV[5] ~= '' and score and score > now - tonumber(ARGV[5]) then
  return 0
end
local run = ARGV[6]
local record = run ~= '' and redis.call('HGET', KEYS[4], run)
local lease = record and decode_lease(record) or nil
if lease and is_held(lease) then
  if worker_name(lease.worker) ~= ARGV[7] then
    return 0
  end
  if ARGV[8] == '1' and is_received(lease) then
    count_delivery(KEYS[5], KEYS[6], run, 1, now)
    lease.attempt = string.format('%d', tonumber(lease.attempt) + 1)
  end
  lease.worker = '-'
  local till = tonumber(string.match(lease.till, '^[^;]*')) or 0
  local alive_until = string.format('%.6f', till > 0 and till or now + tonumber(ARGV[9]))
  redis.call('HSET', KEYS[4], run, encode_lease(lease))
  redis.call('ZADD', KEYS[3], alive_until, run)
  if lease.uid ~= '-' then
    redis.call('ZADD', ARGV[10] .. lease.uid, alive_until, run)
  end
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if run ~= '' and has_ended(KEYS[7], run, tonumber(ARGV[11])) then
  forget_end({ended = KEYS[7], deliveries = KEYS[5], deliveries_until = KEYS[6]}, run, tonumber(ARGV[11]))
  return 1
end
for at = 8, #KEYS do
  redis.call(ARGV[4], KEYS[at], ARGV[3])
end
return 1
