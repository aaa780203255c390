"""Presence and absence of processes: outages, and changes between two looks. Pure.

    look ──▶ who should be there and is not ──for longer than `NOTICED`──▶ an outage begins
                                            ──there again────────────────▶ the outage ends

A process that left in order is not away: Beat gives back the lock only to another Beat, and workers
and recorders take their heartbeat with them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from pydantic import JsonValue

from scheduler.events.schema import Event, FactNoted, OutageNoted
from scheduler.events.surroundings import OutageKind

BEAT = "Beat"
ALL_WORKERS = "all workers"

NOTICED: Mapping[OutageKind, timedelta] = {
    "beat": timedelta(seconds=15),
    "workers": timedelta(seconds=30),
    "worker": timedelta(seconds=30),
    "recorder": timedelta(seconds=15),
    "queue": timedelta(seconds=60),
}
"""The absence, for each kind, that becomes an outage; an orderly restart is shorter."""

DEPTH_EVERY = timedelta(minutes=1)
"""The least time between two notes of a queue's length; only changes are noted."""


class Absent(NamedTuple):
    """Somebody who should be there and is not."""

    of: OutageKind
    name: str


class Sign(NamedTuple):
    """The last sign of life of a worker or recorder; `queues` is empty for a recorder."""

    name: str
    host: str
    at: datetime
    queues: tuple[str, ...] = ()


@dataclass(frozen=True)
class Presence:
    """The findings of a look: `leader` holds Beat's lock, `depths` are the lengths of queues."""

    at: datetime
    leader: str | None
    workers: tuple[Sign, ...] = ()
    recorders: tuple[Sign, ...] = ()
    depths: Mapping[str, int] = field(default_factory=dict)

    def living_workers(self) -> list[Sign]:
        """Return the workers with a recent sign of life."""
        return [sign for sign in self.workers if self.at - sign.at <= NOTICED["worker"]]

    def queues(self) -> set[str]:
        """Return the queues read by living workers."""
        return {queue for sign in self.living_workers() for queue in sign.queues}


class Attendance:
    """The memory between looks: absent processes and queues since when, and the last facts."""

    def __init__(self, open_outages: Iterable[OutageNoted] = ()) -> None:
        """`open_outages` are the outages still open at the end of the last watcher."""
        # Of one absence several may be open: a watcher that begins anew does not see one that is
        # still in the stream.
        self._open: dict[Absent, list[OutageNoted]] = {}
        for one in open_outages:
            self._open.setdefault(Absent(one.of, one.name), []).append(one)
        self._missing: dict[Absent, datetime] = {}
        self._facts: dict[tuple[str, str], JsonValue] = {}
        self._depth_noted: dict[str, datetime] = {}
        self._queues: set[str] = {absent.name for absent in self._open if absent.of == "queue"}

    def note(self, presence: Presence) -> list[Event]:
        """Return the outages that begin or end with a look, and the changed facts."""
        return [*self._outages(presence), *self._changed(presence)]

    def _outages(self, presence: Presence) -> list[Event]:
        absent = self._absent(presence)
        events: list[Event] = []
        for who, (since, host) in absent.items():
            began = self._missing.setdefault(who, since)
            if who in self._open or presence.at - began < NOTICED[who.of]:
                continue
            outage = OutageNoted(
                at=presence.at, of=who.of, name=who.name, host=host, began_at=began
            )
            self._open[who] = [outage]
            events.append(outage)
        for who in [who for who in self._missing if who not in absent]:
            del self._missing[who]
        for who in [who for who in self._open if who not in absent]:
            update = {"at": presence.at, "ended_at": presence.at}
            events += [outage.model_copy(update=update) for outage in self._open.pop(who)]
        return events

    def _absent(self, presence: Presence) -> dict[Absent, tuple[datetime, str | None]]:
        """Return since when, and on which machine, each process or reader of a queue is absent."""
        absent: dict[Absent, tuple[datetime, str | None]] = {}
        if presence.leader is None:
            absent[Absent("beat", BEAT)] = (presence.at, None)
        for sign in presence.workers:
            if presence.at - sign.at > NOTICED["worker"]:
                absent[Absent("worker", sign.name)] = (sign.at, sign.host)
        for sign in presence.recorders:
            if presence.at - sign.at > NOTICED["recorder"]:
                absent[Absent("recorder", sign.name)] = (sign.at, sign.host)
        if not presence.living_workers():
            last = max((sign.at for sign in presence.workers), default=presence.at)
            absent[Absent("workers", ALL_WORKERS)] = (last, None)
        read = presence.queues()
        self._queues |= read
        for queue in self._queues - read:
            last = max(
                (sign.at for sign in presence.workers if queue in sign.queues),
                default=presence.at,
            )
            absent[Absent("queue", queue)] = (last, None)
        return absent

    def _changed(self, presence: Presence) -> list[Event]:
        facts: dict[tuple[str, str], JsonValue] = {
            ("leader", BEAT): presence.leader,
            ("workers", ALL_WORKERS): {
                sign.name: list(sign.queues) for sign in presence.living_workers()
            },
        }
        for queue, depth in presence.depths.items():
            noted = self._depth_noted.get(queue)
            if noted is None or presence.at - noted >= DEPTH_EVERY:
                facts["depth", queue] = depth
        events: list[Event] = []
        for (of, name), value in facts.items():
            if (of, name) in self._facts and self._facts[of, name] == value:
                continue
            if of == "depth":
                self._depth_noted[name] = presence.at
            self._facts[of, name] = value
            events.append(
                FactNoted.model_validate(
                    {"at": presence.at, "of": of, "name": name, "value": value}
                )
            )
        return events
