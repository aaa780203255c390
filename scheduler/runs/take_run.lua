-- A worker takes the run of a message that it has, where the broker is not this Redis.
--
-- KEYS  1 the stream of events   2 all leases   3 their records   4 ends without acknowledgement   5 deliveries
--       6 until when they are remembered
-- ARGV  1 the message's headers   2 the worker's name as one word   3 seconds of a lease   4 prefix: alive runs
--       5 field of an event   6 an event run.lost as pattern   7 this host's time, for such an event
--
-- Answers 'start', deliveries before this one that began and all of them, and 1 where the run was known; or 'wait' or
-- 'ended', and three zeros.
-- uses: lease, deliveries, take

local time = redis.call('TIME')
local run = run_in(cjson.decode(ARGV[1]))
if not run then
  return {'start', 0, 0, 0}
end
local fate, begun, all, is_known = take_run({
  stream = KEYS[1], leases = KEYS[2], owners = KEYS[3], ended = KEYS[4], deliveries = KEYS[5],
  deliveries_until = KEYS[6], alive = ARGV[4],
}, run, ARGV[2], tonumber(ARGV[3]), {field = ARGV[5], pattern = ARGV[6], at = ARGV[7]},
  tonumber(time[1]) + tonumber(time[2]) / 1000000)
if fate ~= 'start' then
  return {fate, 0, 0, 0}
end
return {fate, begun, all, is_known}
