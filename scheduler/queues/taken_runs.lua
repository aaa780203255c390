-- The runs of messages that workers have taken and not acknowledged. Reads only.
--
-- KEYS  1 kombu's hash of such messages
-- ARGV  1 cursor of HSCAN, first '0'   2 how many at once, about
-- uses: message
--
-- Answers the next cursor, '0' at the end, and the runs.

local found = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])
local answer = {found[1]}
for at = 2, #found[2], 2 do
  answer[#answer + 1] = run_of(found[2][at])
end
return answer
