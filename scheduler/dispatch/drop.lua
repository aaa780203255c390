-- Let ticks of a schedule wait no longer, each with the verdict on it. Beat looks at the schedule at once.
--
-- KEYS  1 the schedule's waiting ticks   2 RedBeat's sorted set of due times   3 the entry   4 the stream of events
-- ARGV  1 the time now   2 wake channel   3 name   4 field of an event   then for each: the text that waits, the event
--
-- Answers the texts that waited until now; what Beat has sent meanwhile is not among them.

redis.call('XLEN', KEYS[4])
redis.call('ZCARD', KEYS[2])
local dropped = {}
for at = 5, #ARGV, 2 do
  if redis.call('ZREM', KEYS[1], ARGV[at]) == 1 then
    redis.call('XADD', KEYS[4], '*', ARGV[4], ARGV[at + 1])
    dropped[#dropped + 1] = ARGV[at]
  end
end
local score = #dropped > 0 and redis.call('ZSCORE', KEYS[2], KEYS[3])
if score then
  if tonumber(score) < 0 or tonumber(score) > tonumber(ARGV[1]) then
    redis.call('ZADD', KEYS[2], ARGV[1], KEYS[3])
  end
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return dropped
