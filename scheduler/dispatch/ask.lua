-- A worker asks what decides whether a scheduled run may start. Where no other run of the schedule runs, it has it.
--
-- KEYS  1 the stream of events   2 all leases   3 their owners   4 the schedule's alive runs
-- ARGV  1 field of an event   2 the event that tells that the worker has it   3 run   4 '1': it began before
--       5 seconds that it counts as alive   6 uid   7 attempt   8 worker   9 name of the schedule   10 most runs looked at
--       11 '1' where Redis knew the run before this delivery, '0' where not, '' where its lease tells
--       12 the schedule's entry   13 names of static entries: keys that are read only, and not in KEYS, for which
--       Redis asks a login for the right to write
--
-- Answers: is it the worker's, is the entry gone of a run that is known, was it admitted before, is the entry static,
-- and the entry's three fields. The event is told where it is the worker's.
-- Two workers that ask at once are answered one after the other: the second sees the first one's run.
-- uses: lease, entry

local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local record = redis.call('HGET', KEYS[3], ARGV[3])
local lease = record and decode_lease(record)
local is_back = not lease or (is_held(lease) and not is_received(lease))
local admitted = (lease and is_received(lease)) or (is_back and ARGV[4] == '1')

local others = false
if not admitted then
  local runs = redis.call('ZRANGEBYSCORE', KEYS[4], '(' .. string.format('%.6f', now), '+inf', 'LIMIT', 0, ARGV[10])
  local owners = #runs > 0 and redis.call('HMGET', KEYS[3], unpack(runs)) or {}
  for at, run in ipairs(runs) do
    local other = run ~= ARGV[3] and owners[at] and decode_lease(owners[at])
    others = others or (other and is_received(other))
  end
end

local entry = redis.call('TYPE', ARGV[12])['ok'] == 'hash'
  and read_entry(ARGV[12], redis.call) or {false, false, false}
local is_known = lease and ARGV[11] ~= '0'
local gone = is_known and not admitted and not (entry[1] or entry[2] or entry[3])

if not others and not gone then
  local score = string.format('%.6f', now + tonumber(ARGV[5]))
  redis.call('XADD', KEYS[1], '*', ARGV[1], ARGV[2])
  redis.call('HSET', KEYS[3], ARGV[3], encode_lease({
    uid = ARGV[6], attempt = ARGV[7], worker = ARGV[8], name = ARGV[9],
    failures = lease and lease.failures or '0', till = lease and lease.till or '0',
  }))
  redis.call('ZADD', KEYS[2], score, ARGV[3])
  redis.call('ZADD', KEYS[4], score, ARGV[3])
end
return {
  (others or gone) and 0 or 1, gone and 1 or 0, admitted and 1 or 0, redis.call('SISMEMBER', ARGV[13], ARGV[9]),
  entry[1], entry[2], entry[3],
}
