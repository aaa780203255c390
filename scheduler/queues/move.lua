-- Move messages from one list to another, each once, and tell of each in the same step.
--
-- KEYS  1 the list they are in   2 the list they go to   3 the stream of events
-- ARGV  1 field of an event, '' where the stream is on another server   then for each message, the oldest first:
--       its text, its text in the other queue, the event
--
-- Answers the places (from 1) of the messages that were still there. A message that a worker has taken meanwhile stays
-- with that worker. Lua has no rollback: a key of another kind fails here, before the first write.

redis.call('LLEN', KEYS[1])
redis.call('LLEN', KEYS[2])
local moved = {}
if ARGV[1] ~= '' then
  redis.call('XLEN', KEYS[3])
end
for at = 2, #ARGV, 3 do
  if redis.call('LREM', KEYS[1], -1, ARGV[at]) == 1 then
    redis.call('LPUSH', KEYS[2], ARGV[at + 1])
    if ARGV[1] ~= '' then
      redis.call('XADD', KEYS[3], '*', ARGV[1], ARGV[at + 2])
    end
    moved[#moved + 1] = (at + 1) / 3
  end
end
return moved
