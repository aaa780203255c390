"""The watcher of the surroundings: heartbeats become outages and facts of the history.

A gap in the watchers' own life is an outage of the recorder: nobody noted anything meanwhile.
"""

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from scheduler.events.schema import Event, OutageNoted
from scheduler.ledger.presence import Attendance, Presence, Sign
from scheduler.storage import keys, records

if TYPE_CHECKING:
    from redis import Redis

    from scheduler.catalogue.catalogue import Catalogue
    from scheduler.events.stream import EventStream
    from scheduler.history.queries.outages import Outages, OutageView

log = logging.getLogger(__name__)

NOBODY = "all recorders"
GAP = timedelta(seconds=60)
"""A longer time without a look is an outage of all recorders."""


class SurroundingsWatch:
    """Notes outages and facts. `has_queues_here` where the broker is the schedules' Redis."""

    def __init__(
        self,
        redis: "Redis",
        stream: "EventStream",
        catalogue: "Catalogue",
        outages: "Outages",
        *,
        has_queues_here: bool,
    ) -> None:
        self._redis = redis
        self._stream = stream
        self._catalogue = catalogue
        self._outages = outages
        self._has_queues_here = has_queues_here
        self._attendance: Attendance | None = None

    def forget(self) -> None:
        """Begin anew: another process has watched meanwhile."""
        self._attendance = None

    def look(self, now: datetime) -> int:
        """Note the changes since the last look. Returns the number of events."""
        presence = self._presence(now)
        events: list[Event] = []
        if self._attendance is None:
            self._attendance = Attendance(_noted(one) for one in self._outages.open())
            events += self._gap(now)
        events += self._attendance.note(presence)
        if events:
            self._stream.append_many(events)
        self._redis.set(keys.SURROUNDINGS_SEEN, now.isoformat())
        for event in events:
            if isinstance(event, OutageNoted):
                end = "" if event.ended_at is None else f" until {event.ended_at.isoformat()}"
                log.warning("outage of %s since %s%s", event.name, event.began_at.isoformat(), end)
        return len(events)

    def _gap(self, now: datetime) -> list[Event]:
        """Return the outage of all recorders that ends with the first look; empty without a gap."""
        began = records.moment_in(self._redis.get(keys.SURROUNDINGS_SEEN))
        if began is None or now - began <= GAP:
            return []
        return [OutageNoted(at=now, of="recorder", name=NOBODY, began_at=began, ended_at=now)]

    def _presence(self, now: datetime) -> Presence:
        leader: Any = self._redis.get(keys.BEAT_LOCK)
        workers = [
            Sign(worker.name, worker.host, worker.at, tuple(worker.queues))
            for worker in self._catalogue.workers()
        ]
        queues = sorted({queue for worker in workers for queue in worker.queues})
        return Presence(
            at=now,
            leader=leader,
            workers=tuple(workers),
            recorders=tuple(self._recorders()),
            depths=self._depths(queues) if self._has_queues_here else {},
        )

    def _recorders(self) -> list[Sign]:
        heartbeats: Any = self._redis.hgetall(keys.RECORDERS_HASH)
        signs = (sign_of(name, text) for name, text in heartbeats.items())
        return [sign for sign in signs if sign is not None]

    def _depths(self, queues: list[str]) -> dict[str, int]:
        """The number of messages in each queue, of all priorities."""
        with self._redis.pipeline(transaction=False) as pipe:
            for queue in queues:
                for step in keys.PRIORITY_STEPS:
                    pipe.llen(queue + step)
            lengths: Any = pipe.execute(raise_on_error=False)
        found: dict[str, int] = {}
        width = len(keys.PRIORITY_STEPS)
        for place, queue in enumerate(queues):
            part = lengths[place * width : (place + 1) * width]
            found[queue] = sum(length for length in part if isinstance(length, int))
        return found


def sign_of(name: str, text: str) -> Sign | None:
    """Return the sign of life in a recorder's heartbeat; None for a text not by Beatdesk."""
    facts = records.object_in(text) or {}
    at = records.moment_in(facts.get("at"))
    return None if at is None else Sign(name, records.text_in(facts.get("host")) or "", at)


def _noted(view: "OutageView") -> OutageNoted:
    return OutageNoted.model_validate({"at": view.began_at, **view.model_dump()})
