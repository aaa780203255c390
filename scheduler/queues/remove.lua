-- Take the messages of runs out of a part of a queue's list.
--
-- KEYS  1 the list
-- ARGV  1 the first place   2 how many   then the runs
-- uses: message
--
-- Answers how many messages were looked at, then for each that was taken out its run and its text. One message of a
-- run: a second copy, as a broker may have after a restart, is found by the next step.

local wanted, answer = {}, {}
for at = 3, #ARGV do
  wanted[ARGV[at]] = true
end
local texts = redis.call('LRANGE', KEYS[1], ARGV[1], tonumber(ARGV[1]) + tonumber(ARGV[2]) - 1)
answer[1] = #texts
for _, text in ipairs(texts) do
  local run = run_of(text)
  if wanted[run] and redis.call('LREM', KEYS[1], 1, text) == 1 then
    answer[#answer + 1] = run
    answer[#answer + 1] = text
  end
end
return answer
