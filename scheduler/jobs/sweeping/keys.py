"""Deletion of idle Redis keys with names that match a permitted pattern.

Keys are found by SCAN, without blocking the server. One script reads a key's idle time and unlinks
the key, so a key used in between stays. Keys of Beatdesk, RedBeat and Celery stay whatever the
pattern, and so do queues: of workers, of kombu's bindings, and every list that holds messages, also
of a queue without a worker.
"""

from collections.abc import Collection, Iterator
from typing import Any

from redis import Redis
from redis.exceptions import ResponseError

from scheduler.errors import Refused
from scheduler.settings.job_limits import OTHERS_PREFIXES, RedisKeys
from scheduler.storage.keys import BINDINGS_PREFIX, queue_of_binding, queue_of_list

AT_ONCE = 500

_UNLINK_IDLE = """
local found = {}
local function holds_messages(key)
  if redis.call('TYPE', key).ok ~= 'list' then return false end
  for _, place in ipairs({0, -1}) do
    local text = redis.call('LINDEX', key, place)
    local is_message = text and string.find(text, '"body"', 1, true)
    if is_message and string.find(text, '"properties"', 1, true) then return true end
  end
  return false
end
for _, key in ipairs(KEYS) do
  -- The look at a list counts as a use, so the idle time is read first.
  local idle = redis.call('OBJECT', 'IDLETIME', key)
  if idle and idle >= tonumber(ARGV[1]) and not holds_messages(key) then
    if ARGV[2] == '0' then redis.call('UNLINK', key) end
    found[#found + 1] = key
  end
end
return found
"""


def is_protected(key: str, queues: Collection[str]) -> bool:
    """Whether the key belongs to Beatdesk, RedBeat or Celery, or is a queue."""
    return key.startswith(OTHERS_PREFIXES) or queue_of_list(key) in queues


def bound_queues(redis: Redis) -> set[str]:
    """Names of the queues that senders have bound, whether or not a worker reads them."""
    queues: set[str] = set()
    for binding in redis.scan_iter(match=f"{BINDINGS_PREFIX}*", count=AT_ONCE, _type="SET"):
        members: Any = redis.smembers(binding)
        queues |= {queue_of_binding(str(member)) for member in members}
    return queues - {""}


def unlink_idle(
    redis: Redis, keys: RedisKeys, seconds: int, queues: Collection[str], *, dry_run: bool
) -> Iterator[tuple[int, list[str]]]:
    """Unlink keys idle for `seconds`, in batches. Yields the number of examined keys of each batch,
    and the names of the idle keys. Raises Refused for a server that counts uses, not times.
    """
    script = redis.register_script(_UNLINK_IDLE)
    place = 0
    while True:
        answer: Any = redis.scan(place, match=keys.pattern, count=AT_ONCE)
        place, found = answer
        candidates = [key for key in found if not is_protected(key, queues)]
        try:
            idle: Any = script(keys=candidates, args=[seconds, int(dry_run)]) if candidates else []
        except ResponseError as error:
            if "LFU" not in str(error):
                raise
            raise Refused(
                "Redis counts how often keys are used and not when (maxmemory-policy is an LFU "
                "one), so idle keys cannot be found; set maxmemory-policy noeviction"
            ) from None
        yield len(found), list(idle)
        if place == 0:
            return
