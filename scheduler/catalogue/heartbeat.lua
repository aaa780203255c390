-- A worker lives, and asks whether its jobs are in the catalogue still.
--
-- KEYS  1 heartbeats by worker   2 the catalogue
-- ARGV  1 worker   2 heartbeat   then the names of its jobs
--
-- Answers how many of its jobs the catalogue lacks: all of them after the server was emptied.

redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
local missing = 0
for at = 3, #ARGV do
  missing = missing + 1 - redis.call('HEXISTS', KEYS[2], ARGV[at])
end
return missing
