-- Let ticks of a schedule wait, and Beat look at it at once.
--
-- KEYS  1 the schedule's waiting ticks   2 RedBeat's sorted set of due times   3 the entry
-- ARGV  1 the time now   2 wake channel   3 name   then for each: the tick, and the text that waits, which begins with it
--
-- Answers the texts that are new: a tick waits once, whoever asked for it. None where there is no such entry.

local added = {}
local score = redis.call('ZSCORE', KEYS[2], KEYS[3])
if not score then
  return added
end
for at = 4, #ARGV, 2 do
  local tick, text = ARGV[at], ARGV[at + 1]
  if redis.call('ZLEXCOUNT', KEYS[1], '[' .. tick, '[' .. tick .. '\255') == 0 then
    redis.call('ZADD', KEYS[1], 0, text)
    added[#added + 1] = text
  end
end
if #added > 0 then
  if tonumber(score) < 0 or tonumber(score) > tonumber(ARGV[1]) then
    redis.call('ZADD', KEYS[2], ARGV[1], KEYS[3])
  end
  redis.call('PUBLISH', ARGV[2], ARGV[3])
end
return added
