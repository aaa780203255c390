"""Open spans: the ticks of a schedule not dealt with yet, as a single row that grows.

A pause, a switched-off schedule and an absence of Beat last, and the ticks meanwhile are rows of
the history from the start. The watcher of the ledger (`scheduler.ledger`) writes such a row and
lets it grow. The row is provisional: whoever deals with the first tick, Beat or an operator, has
the last word.

    watcher ──writes, grows, removes──▶ the row of an open span, `state_stamp` = `OPEN`
    event with a verdict on the first tick, or with its run ──▶ the row goes, in the transaction
                                                                that folds the event

The id of the row is derived from the schedule and the first tick, so that each span has a single
row, and every event about the first tick finds the row. Open spans are no events: they are made
anew from the schedules at any time.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, cast
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, Engine, Table, bindparam, delete, insert, select, update

from scheduler.events.schema import Event, RunQueued, RunReceived, TicksEvent
from scheduler.history import models
from scheduler.history.connecting import in_parts
from scheduler.history.engine import writing
from scheduler.history.recorded_runs import recorded

_RUNS = cast("Table", models.Run.__table__)
_OPEN_SPANS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/open-spans")

FIRST_WRITTEN_AFTER = timedelta(seconds=30)
"""The least age of a tick in an open span; a run sent earlier has no open span to close."""


class OpenSpan(NamedTuple):
    """`ticks` ticks of a schedule from `first` to `last`, with the present verdict."""

    uid: str
    schedule: str
    job: str
    revision: int
    state: str
    reason: str
    first: datetime
    last: datetime
    ticks: int

    @property
    def id(self) -> str:
        """The id of the span's row."""
        return span_id(self.uid, self.first)


def span_id(uid: str, first: datetime) -> str:
    """Return the row id of an open span of the schedule `uid` with the first tick `first`."""
    return str(uuid5(_OPEN_SPANS, f"{uid} {first.timestamp()}"))


class OpenSpans:
    """The open spans of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def load(self) -> list[OpenSpan]:
        """All open spans."""
        columns = (
            _RUNS.c.schedule_uid,
            _RUNS.c.schedule,
            _RUNS.c.job,
            _RUNS.c.revision,
            _RUNS.c.state,
            _RUNS.c.reason,
            _RUNS.c.tick,
            _RUNS.c.tick_to,
            _RUNS.c.ticks,
        )
        statement = select(*columns).where(_RUNS.c.state_stamp == models.OPEN)
        with self._engine.connect() as connection:
            return [OpenSpan(*row) for row in connection.execute(statement)]

    def write(self, spans: Sequence[OpenSpan], gone: Sequence[str], now: datetime) -> None:
        """Write spans, new or grown, and remove the rows `gone`, in a single transaction."""
        if not spans and not gone:
            return
        with writing(self._engine).begin() as connection:
            remove(connection, gone)
            stored = recorded(connection, [span.id for span in spans])
            grown = [_values(span, now) for span in spans if span.id in stored]
            new = [
                {**_values(span, now), "first_at": now, "trigger": "schedule"}
                for span in spans
                if span.id not in stored
            ]
            if grown:
                names = [name for name in grown[0] if name != "id"]
                statement = (
                    update(_RUNS)
                    .where(_RUNS.c.id == bindparam("row"), _RUNS.c.state_stamp == models.OPEN)
                    .values({name: bindparam(name) for name in names})
                )
                connection.execute(statement, [{"row": row.pop("id"), **row} for row in grown])
            if new:
                connection.execute(insert(_RUNS), new)


def remove(connection: Connection, ids: Iterable[str]) -> None:
    """Remove the rows of open spans with the given ids; other rows stay."""
    for part in in_parts(sorted(set(ids))):
        connection.execute(
            delete(_RUNS).where(_RUNS.c.id.in_(part), _RUNS.c.state_stamp == models.OPEN)
        )


def closed_by(events: Iterable[Event]) -> set[str]:
    """Return the ids of open spans that the events close, whether or not such spans exist.

    An event closes a span by deciding the first tick.
    """
    ids: set[str] = set()
    for event in events:
        if isinstance(event, TicksEvent):
            ids.add(span_id(event.schedule_uid, event.tick_from))
        elif isinstance(event, RunQueued | RunReceived):
            facts = event.facts
            if facts.tick is None or facts.schedule_uid is None:
                continue
            if event.at - facts.tick >= FIRST_WRITTEN_AFTER:
                ids.add(span_id(facts.schedule_uid, facts.tick))
    return ids


def _values(span: OpenSpan, now: datetime) -> dict[str, Any]:
    return {
        "id": span.id,
        "schedule_uid": span.uid,
        "schedule": span.schedule,
        "job": span.job,
        "revision": span.revision,
        "state": span.state,
        "reason": span.reason,
        "tick": span.first,
        "tick_to": span.last,
        "ticks": span.ticks,
        "finished_at": now,
        "state_stamp": models.OPEN,
    }
