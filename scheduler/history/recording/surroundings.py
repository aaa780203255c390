"""Outages and facts: events become rows of `outages` and `facts`.

An outage is a single row for all reporters: the id is derived from who was away since when. A noted
end stays; of two ends the earlier counts. So the order of the events does not matter. The id of a
fact is derived from the whole event.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Connection, Engine, Table, case, delete

from scheduler.events.schema import Event, FactNoted, OutageNoted
from scheduler.history.engine import writing
from scheduler.history.models import Fact, Outage
from scheduler.history.recording.column_values import json_value, text, utc
from scheduler.history.recording.inserts import insert_into
from scheduler.history.recording.stamps import stamp

_OUTAGE_IDS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/outages")
_FACT_IDS = uuid5(NAMESPACE_URL, "https://beatdesk.invalid/facts")
_OUTAGES = cast("Table", Outage.__table__)
_FACTS = cast("Table", Fact.__table__)


def write(connection: Connection, events: Sequence[Event]) -> None:
    """Write the rows of all outages and facts among the events."""
    outages = [_outage(event) for event in events if isinstance(event, OutageNoted)]
    facts = [_fact(event) for event in events if isinstance(event, FactNoted)]
    if outages:
        new = insert_into(connection, _OUTAGES)
        old_end, new_end = _OUTAGES.c.ended_at, new.excluded.ended_at
        end = case(
            (old_end.is_(None), new_end),
            (new_end.is_(None), old_end),
            (new_end < old_end, new_end),
            else_=old_end,
        )
        upsert = new.on_conflict_do_update(index_elements=["id"], set_={"ended_at": end})
        connection.execute(upsert, outages)
    if facts:
        insert = insert_into(connection, _FACTS).on_conflict_do_nothing(index_elements=["id"])
        connection.execute(insert, facts)


def forget_before(engine: Engine, cutoff: datetime) -> None:
    """Delete facts older than `cutoff`, and outages that ended before `cutoff`."""
    with writing(engine).begin() as connection:
        connection.execute(delete(_FACTS).where(_FACTS.c.at < cutoff))
        connection.execute(delete(_OUTAGES).where(_OUTAGES.c.ended_at < cutoff))


def _outage(event: OutageNoted) -> dict[str, Any]:
    identity = f"{event.of} {event.name} {event.began_at.timestamp()}"
    return {
        "id": str(uuid5(_OUTAGE_IDS, identity)),
        "of": event.of,
        "name": text(event.name, 255),
        "host": text(event.host, 255),
        "began_at": utc(event.began_at),
        "ended_at": utc(event.ended_at),
        "detail": text(event.detail, 255),
    }


def _fact(event: FactNoted) -> dict[str, Any]:
    return {
        "id": str(uuid5(_FACT_IDS, stamp(event))),
        "of": event.of,
        "name": text(event.name, 255),
        "at": utc(event.at),
        "value": json_value(event.value),
    }
