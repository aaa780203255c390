-- What a deletion leaves: the schedule's id and the revision with which it was deleted, for scripts that delete.
--
-- A history that is restored from a copy has forgotten the deletion; the healer must not put the schedule back. Bounded
-- by age and by number, a few at a time. The same names in Python: `scheduler.schedules.tombstones`.

local TOMBSTONE_SECONDS, MOST_TOMBSTONES, TOMBSTONES_AT_ONCE = 90 * 86400, 10000, 20

-- `revisions` and `times` are keys; `event` is the encoded event of the deletion.
local function bury(revisions, times, event)
  local uid, revision = string.match(event, '"uid":"([^"]+)","revision":(%d+)')
  if not uid then
    return
  end
  local now = tonumber(redis.call('TIME')[1])
  redis.call('HSET', revisions, uid, revision)
  redis.call('ZADD', times, now, uid)
  local old = redis.call('ZRANGEBYSCORE', times, '-inf', now - TOMBSTONE_SECONDS, 'LIMIT', 0, TOMBSTONES_AT_ONCE)
  local beyond = redis.call('ZCARD', times) - MOST_TOMBSTONES
  if beyond > 0 and #old == 0 then
    old = redis.call('ZRANGE', times, 0, math.min(beyond, TOMBSTONES_AT_ONCE) - 1)
  end
  for _, forgotten in ipairs(old) do
    redis.call('HDEL', revisions, forgotten)
    redis.call('ZREM', times, forgotten)
  end
end
