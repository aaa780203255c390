"""The waiting ticks of schedules in Redis: read, added to by backfills, dropped by operators.

Beat sends from the same list (`dispatch.plan`). The list outlives every process. Nothing is decided
here.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scheduler.errors import Refused
from scheduler.events import schema
from scheduler.events.schema import TicksSkipped, encode
from scheduler.redbeat.waiting import WaitingTick, readable
from scheduler.rules.model.identity import tick_text
from scheduler.rules.model.spec import Schedule
from scheduler.schedules.missed_in_pause import verdict
from scheduler.storage import keys
from scheduler.storage.availability import answering
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

PORTION = 500
"""Ticks dropped in one step; Lua limits the number of arguments."""


class WaitingList:
    """The waiting ticks of all schedules. Raises Unavailable where Redis does not answer."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._hold = redis.register_script(script_text(__package__, "hold.lua"))
        self._drop = redis.register_script(script_text(__package__, "drop.lua"))

    def of(self, uid: str) -> list[WaitingTick]:
        """The waiting ticks of a schedule, the oldest first."""
        with answering():
            texts: Any = self._redis.zrange(keys.WAITING_PREFIX + uid, 0, -1)
        return readable(texts)

    def add(
        self, schedule: Schedule, ticks: Sequence[WaitingTick], now: datetime
    ) -> list[WaitingTick]:
        """Add ticks to the waiting list, and wake Beat.

        Returns the newly added ticks; none for a deleted schedule.
        """
        with answering(
            "nothing is known to wait; look at the schedule's runs before you try again"
        ):
            added: Any = self._hold(
                keys=_keys(schedule),
                args=[
                    repr(now.timestamp()),
                    keys.WAKE_CHANNEL,
                    schedule.name,
                    *(text for one in ticks for text in (WaitingTick(one.tick).text, one.text)),
                ],
            )
        new = set(added)
        return [one for one in ticks if one.text in new]

    def drop(
        self, schedule: Schedule, *, tick: datetime | None = None, actor: str, now: datetime
    ) -> list[WaitingTick]:
        """Drop `tick`, or all waiting ticks, each with the verdict skipped: operator.

        Returns the dropped ticks. Raises Refused where no such tick waits.
        """
        waiting = [
            waiting_tick
            for waiting_tick in self.of(schedule.uid)
            if tick is None or waiting_tick.tick == tick
        ]
        if not waiting:
            what = "no tick" if tick is None else f"no tick {tick_text(tick)}"
            raise Refused(f"{what} of {schedule.name!r} waits for its turn", field="tick")
        dropped: set[str] = set()
        for begin in range(0, len(waiting), PORTION):
            texts = [
                text
                for waiting_tick in waiting[begin : begin + PORTION]
                for text in (waiting_tick.text, _skipped(schedule, waiting_tick, actor, now))
            ]
            with answering("some may be dropped; look at what waits before you try again"):
                done: Any = self._drop(
                    keys=[*_keys(schedule), keys.EVENTS_STREAM],
                    args=[
                        repr(now.timestamp()),
                        keys.WAKE_CHANNEL,
                        schedule.name,
                        schema.FIELD,
                        *texts,
                    ],
                )
            dropped.update(done)
        return [waiting_tick for waiting_tick in waiting if waiting_tick.text in dropped]


def _keys(schedule: Schedule) -> list[str]:
    return [keys.WAITING_PREFIX + schedule.uid, keys.SCHEDULE_ZSET, keys.entry(schedule.name)]


def _skipped(schedule: Schedule, waiting_tick: WaitingTick, actor: str, now: datetime) -> str:
    """Return the encoded event of a skipped waiting tick."""
    event = verdict(
        TicksSkipped, schedule, "operator", (waiting_tick.tick, waiting_tick.tick, 1), now
    )
    return encode(event.model_copy(update={"actor": actor}))[schema.FIELD]
