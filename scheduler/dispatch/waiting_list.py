"""The list of a schedule's ticks that wait until the run before them has ended, for those who put
ticks on it or drop them.

Beat takes from it (`dispatch`, `beat_entry`), so that it outlives every process. Must not decide
what waits.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scheduler.errors import Refused
from scheduler.events import schema
from scheduler.events.schema import TicksSkipped, encode
from scheduler.redbeat.waiting import WaitingTick, read
from scheduler.rules.model.identity import tick_text
from scheduler.rules.model.spec import Schedule
from scheduler.schedules.missed_in_pause import verdict
from scheduler.storage import keys
from scheduler.storage.availability import answering
from scheduler.storage.lua import script_text

if TYPE_CHECKING:
    from redis import Redis

PORTION = 500
"""Ticks that are dropped in one step; Lua cannot take arguments without end."""


class WaitingList:
    """The lists of all schedules."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._hold = redis.register_script(script_text(__package__, "hold.lua"))
        self._drop = redis.register_script(script_text(__package__, "drop.lua"))

    def of(self, uid: str) -> list[WaitingTick]:
        """What waits of a schedule, the oldest tick first."""
        with answering():
            texts: Any = self._redis.zrange(keys.WAITING_PREFIX + uid, 0, -1)
        return [read(text) for text in texts]

    def add(
        self, schedule: Schedule, held: Sequence[WaitingTick], now: datetime
    ) -> list[WaitingTick]:
        """Let ticks wait, and Beat look at the schedule at once. Those that did not wait yet; none
        if it is gone.
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
                    *(text for one in held for text in (WaitingTick(one.tick).text, one.text)),
                ],
            )
        new = set(added)
        return [one for one in held if one.text in new]

    def drop(
        self, schedule: Schedule, *, tick: datetime | None = None, actor: str, now: datetime
    ) -> list[WaitingTick]:
        """Let `tick`, or all that wait, have no turn: each is skipped by the operator. Those that
        waited until now.

        Raises Refused where nothing of the kind waits.
        """
        waiting = [held for held in self.of(schedule.uid) if tick is None or held.tick == tick]
        if not waiting:
            what = "no tick" if tick is None else f"no tick {tick_text(tick)}"
            raise Refused(f"{what} of {schedule.name!r} waits for its turn", field="tick")
        dropped: set[str] = set()
        for begin in range(0, len(waiting), PORTION):
            told = [
                text
                for held in waiting[begin : begin + PORTION]
                for text in (held.text, _skipped(schedule, held, actor, now))
            ]
            with answering("some may be dropped; look at what waits before you try again"):
                done: Any = self._drop(
                    keys=[*_keys(schedule), keys.EVENTS_STREAM],
                    args=[
                        repr(now.timestamp()),
                        keys.WAKE_CHANNEL,
                        schedule.name,
                        schema.FIELD,
                        *told,
                    ],
                )
            dropped.update(done)
        return [held for held in waiting if held.text in dropped]


def _keys(schedule: Schedule) -> list[str]:
    return [keys.WAITING_PREFIX + schedule.uid, keys.SCHEDULE_ZSET, keys.entry(schedule.name)]


def _skipped(schedule: Schedule, held: WaitingTick, actor: str, now: datetime) -> str:
    """The verdict on a tick that has no turn, encoded."""
    event = verdict(TicksSkipped, schedule, "operator", (held.tick, held.tick, 1), now)
    return encode(event.model_copy(update={"actor": actor}))[schema.FIELD]
