-- KEYS 1 dead letters  2 events
-- ARGV 1 'retry' or 'drop'  2 the event that tells of it, without letters  3 field of an event
--      4 field of the past  5 prefix  6... for each letter its id and what the event says of it
-- Answers the ids of those that were still there.
redis.call('XLEN', KEYS[2])
local done, facts = {}, {}
for at = 6, #ARGV, 2 do
  local letter = redis.call('XRANGE', KEYS[1], ARGV[at], ARGV[at])[1]
  if letter then
    if ARGV[1] == 'retry' then
      local of, fields = {}, {}
      for place = 1, #letter[2], 2 do
        local name, value = letter[2][place], letter[2][place + 1]
        if string.sub(name, 1, #ARGV[5]) == ARGV[5] then
          fields[#fields + 1] = string.sub(name, #ARGV[5] + 1)
          fields[#fields + 1] = value
        else
          of[name] = value
        end
      end
      local past = {of.tries or '0', string.format('%d', (tonumber(of.retries) or 0) + 1), of.first or of.entry or '-'}
      redis.call('XADD', KEYS[2], '*', ARGV[4], table.concat(past, ' '), unpack(fields))
    end
    redis.call('XDEL', KEYS[1], ARGV[at])
    done[#done + 1] = ARGV[at]
    facts[#facts + 1] = ARGV[at + 1]
  end
end
if #done > 0 then
  local told = string.sub(ARGV[2], 1, -3) .. table.concat(facts, ',') .. ']}'
  redis.call('XADD', KEYS[2], '*', ARGV[3], told)
end
return done
