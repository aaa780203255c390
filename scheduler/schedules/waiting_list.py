"""The list of a schedule's ticks that wait until the run before them has ended, for those who put ticks on it.

Beat takes from it (`dispatch`, `beat_entry`), so that it outlives every process. Must not decide what waits.
"""

from collections.abc import Sequence
from datetime import datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scheduler import keys
from scheduler.rules.spec import Schedule
from scheduler.schedules.listing import answering
from scheduler.schedules.waiting import Held, read

if TYPE_CHECKING:
    from redis import Redis


class WaitingList:
    """The lists of all schedules."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._hold = redis.register_script(files(__package__).joinpath("hold.lua").read_text(encoding="utf-8"))

    def of(self, uid: str) -> list[Held]:
        """What waits of a schedule, the oldest tick first."""
        with answering():
            texts: Any = self._redis.zrange(keys.WAITING_PREFIX + uid, 0, -1)
        return [read(text) for text in texts]

    def add(self, schedule: Schedule, held: Sequence[Held], now: datetime) -> list[Held]:
        """Let ticks wait, and Beat look at the schedule at once. Those that did not wait yet; none if it is gone."""
        ours = [keys.WAITING_PREFIX + schedule.uid, keys.SCHEDULE_ZSET, keys.entry(schedule.name)]
        with answering("nothing is known to wait; look at the schedule's runs before you try again"):
            added: Any = self._hold(
                keys=ours,
                args=[
                    repr(now.timestamp()),
                    keys.WAKE_CHANNEL,
                    schedule.name,
                    *(text for one in held for text in (Held(one.tick).text, one.text)),
                ],
            )
        new = set(added)
        return [one for one in held if one.text in new]
