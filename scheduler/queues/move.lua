-- Move messages from one list to another, each once.
--
-- KEYS  1 the list they are in   2 the list they go to
-- ARGV  for each message, the oldest first: its text, and its text in the other queue
--
-- Answers the places (from 1) of the messages that were still there. A message that a worker has taken meanwhile stays
-- with that worker. Lua has no rollback: a key of another kind fails here, before the first write.

redis.call('LLEN', KEYS[1])
redis.call('LLEN', KEYS[2])
local moved = {}
for at = 1, #ARGV, 2 do
  if redis.call('LREM', KEYS[1], -1, ARGV[at]) == 1 then
    redis.call('LPUSH', KEYS[2], ARGV[at + 1])
    moved[#moved + 1] = (at + 1) / 2
  end
end
return moved
