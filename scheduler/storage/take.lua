-- A worker takes a run whose message it has: the lease, the number of the delivery, and whether the run has ended.
-- Used behind `lease` and `deliveries`.

local RUN_LOST = 7  -- the phase of run.lost in an event's `seq`: `events.schema.PHASE`

-- The run of a message, from its headers; nil where the message is no run.
local function run_in(headers)
  if type(headers) ~= 'table' or type(headers.id) ~= 'string' or type(headers.task) ~= 'string' then
    return nil
  end
  if #headers.id == 0 or #headers.id > 64 or string.sub(headers.task, 1, 7) == 'celery.' then
    return nil
  end
  local retries = type(headers.retries) == 'number' and headers.retries >= 0 and math.floor(headers.retries) or 0
  local run = {id = headers.id, retries = retries, uid = '-', name = headers.task}
  local own = headers.beatdesk
  if type(own) == 'table' and type(own.schedule) == 'string' and own.schedule ~= ''
    and type(own.schedule_uid) == 'string' and string.match(own.schedule_uid, '^%S+$') then
    run.uid, run.name = own.schedule_uid, own.schedule
  end
  return run
end

-- Record that the worker with this lease is gone. `lost` has the field of an event, an event as pattern, and the time.
local function record_lost(keys, run, lease, lost)
  local event = cjson.decode(lost.pattern)
  local attempt = tonumber(lease.attempt)
  event.at, event.run, event.attempt, event.seq = lost.at, run.id, attempt, attempt * 10 + RUN_LOST
  event.worker = worker_name(lease.worker)
  if lease.uid == '-' then
    event.facts = {job = lease.name}
  else
    event.schedule, event.schedule_uid = lease.name, lease.uid
  end
  redis.call('XADD', keys.stream, '*', lost.field, cjson.encode(event))
end

-- Answers what becomes of the message, and with 'start' the deliveries before it (begun, all), and 1 where Redis knew the
-- run; with 'wait' the seconds for which another worker's lease lasts. `keys`: stream, leases, owners, ended, deliveries, deliveries_until, alive.
-- A message of a later attempt than the lease's proves that the lease's attempt is over.
local function take_run(keys, run, worker, seconds, lost, now)
  if has_ended(keys.ended, run.id, run.retries) then
    return 'ended'
  end
  local begun, all = read_deliveries(keys.deliveries, run.id)
  local record = redis.call('HGET', keys.owners, run.id)
  local lease = record and decode_lease(record) or nil
  if lease and is_held(lease) and tonumber(lease.attempt) >= run.retries + begun + 1 then
    local left = (tonumber(redis.call('ZSCORE', keys.leases, run.id)) or 0) - now
    if left > 0 then
      return 'wait', left
    end
    local received = is_received(lease)
    if received then
      record_lost(keys, run, lease, lost)
    end
    count_delivery(keys.deliveries, keys.deliveries_until, run.id, received and 1 or 0, now)
    begun, all = begun + (received and 1 or 0), all + 1
  end
  local score = string.format('%.6f', now + seconds)
  if run.uid ~= '-' then  -- first: the key may be of another type, and then there is no lease
    redis.call('ZADD', keys.alive .. run.uid, score, run.id)
  end
  redis.call('HSET', keys.owners, run.id, encode_lease({
    uid = run.uid, attempt = string.format('%d', run.retries + begun + 1), worker = '+' .. worker,
    failures = lease and lease.failures or '0', till = lease and lease.till or '0', name = run.name,
  }))
  redis.call('ZADD', keys.leases, score, run.id)
  return 'start', begun, all, lease and 1 or 0
end
