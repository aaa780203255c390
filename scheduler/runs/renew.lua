-- A worker lives: the runs that it has count as alive for a while longer, those of them that are not over.
--
-- KEYS  1 all leases   2 their records   3 ends without acknowledgement   4 deliveries
-- ARGV  1 seconds   2 prefix of the alive runs of a schedule   3 the worker's name as one word
--       then for each run: run, its message's retries, deliveries before it that began, a record for a lost lease
--
-- Answers the number of renewed leases; the runs that this worker has no more, because another one has them, or they were
-- recorded as lost; and the runs of which Redis has no record. With a record such a lease is made anew.
-- uses: lease, deliveries

local time = redis.call('TIME')
local till = string.format('%.6f', tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV[1]))
local renewed, taken_away, unknown = 0, {}, {}

-- `how` is 'XX' for a lease that must be there already, 'NX' for a new one.
local function renew(run, lease, how)
  redis.call('ZADD', KEYS[1], how, till, run)
  if lease.uid ~= '-' then
    redis.call('ZADD', ARGV[2] .. lease.uid, how, till, run)
  end
  renewed = renewed + 1
end

for at = 4, #ARGV, 4 do
  local run, retries, begun, anew = ARGV[at], tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), ARGV[at + 3]
  local record = redis.call('HGET', KEYS[2], run)
  local lease = record and decode_lease(record) or nil
  local begun_now = read_deliveries(KEYS[4], run)
  if has_ended(KEYS[3], run, retries) then
    lease = nil
  elseif begun_now > begun or (lease and is_held(lease) and worker_name(lease.worker) ~= ARGV[3]) then
    taken_away[#taken_away + 1] = run
  elseif lease and is_held(lease) then
    renew(run, lease, 'XX')
  elseif not record and anew == '' then
    unknown[#unknown + 1] = run
  elseif not record then
    redis.call('HSET', KEYS[2], run, anew)
    renew(run, decode_lease(anew), 'NX')
  end
end
return {renewed, taken_away, unknown}
