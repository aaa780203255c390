-- The runs of a part of a queue's list. Reads only.
--
-- KEYS  1 the list
-- ARGV  1 the first place   2 how many
-- uses: message
--
-- Answers the run of each message, '' for none. Fewer than asked for: the list ends there.

local runs = redis.call('LRANGE', KEYS[1], ARGV[1], tonumber(ARGV[1]) + tonumber(ARGV[2]) - 1)
for at, text in ipairs(runs) do
  runs[at] = run_of(text)
end
return runs
