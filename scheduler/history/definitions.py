"""What the history knows of the schedules themselves: enough to put them back where Redis has lost
them.

Reads only. The facts come without the definitions, so that ten thousand of them are cheap;
definitions are read for those that are needed.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Engine, Row, Select, String, func, literal, select, union_all

from scheduler.history.models import Revision, Run
from scheduler.history.views import Saved
from scheduler.rules.model.run_states import RunState

AT_ONCE = 400
"""Rows that are asked for by name in one statement; SQLite takes unions of 500 at most."""

NEWEST = 50
"""Runs of a schedule that are looked at for its last tick; retries and late ends do not change
their order.
"""

_WITHOUT_RUN = tuple(state.value for state in RunState if state.is_without_run)


class Definitions:
    """The schedules as the history has them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest_key(self) -> int:
        """The key of the newest fact; 0 where there is none."""
        with self._engine.connect() as connection:
            return connection.execute(select(func.max(Revision.key))).scalar() or 0

    def facts(self, after: int = 0) -> list[Saved]:
        """The facts with a key above `after`, in the order of keys."""
        saved_at = Revision.definition["updated_at"].as_string().label("saved_at")
        origin = Revision.definition["origin"].as_string().label("origin")
        columns = (
            Revision.key,
            Revision.schedule_uid,
            Revision.name,
            Revision.revision,
            Revision.action,
            Revision.at,
        )
        statement = (
            select(*columns, saved_at, origin).where(Revision.key > after).order_by(Revision.key)
        )
        with self._engine.connect() as connection:
            return [_saved(row) for row in connection.execute(statement)]

    def definitions(self, wanted: Collection[int]) -> dict[int, Any]:
        """The whole schedules of these facts, by key."""
        found: dict[int, Any] = {}
        with self._engine.connect() as connection:
            for part in _parts(sorted(wanted)):
                rows = connection.execute(
                    select(Revision.key, Revision.definition).where(Revision.key.in_(part))
                )
                found.update((row.key, row.definition) for row in rows)
        return found

    def last_ticks(self, uids: Collection[str]) -> dict[str, datetime]:
        """The newest tick of each schedule that has a verdict, or a run; those without any are left
        out.
        """
        found: dict[str, datetime] = {}
        with self._engine.connect() as connection:
            for part in _parts(sorted(uids)):
                rows = connection.execute(_last_ticks(part))
                found.update((uid, tick) for uid, tick in rows if tick is not None)
        return found

    def run_count(self, uid: str) -> int:
        """How many ticks of a schedule became runs."""
        runs = select(func.count()).where(
            Run.schedule_uid == uid, Run.trigger == "schedule", Run.state.not_in(_WITHOUT_RUN)
        )
        with self._engine.connect() as connection:
            return connection.execute(runs).scalar_one()


def _last_ticks(uids: Sequence[str]) -> Select[str, datetime]:
    """Looks at the newest runs of each schedule only, however many there are."""
    schedules = [select(literal(uid, String(36)).label("uid")) for uid in uids]
    asked = union_all(*schedules).subquery() if len(schedules) > 1 else schedules[0].subquery()
    newest = (
        select(func.coalesce(Run.tick_to, Run.tick).label("tick"))
        .where(Run.schedule_uid == asked.c.uid, Run.trigger == "schedule")
        .order_by(Run.key.desc())
        .limit(NEWEST)
        .correlate(asked)
        .subquery()
    )
    return select(asked.c.uid, select(func.max(newest.c.tick)).scalar_subquery())


def _saved(row: Row[Any]) -> Saved:
    said = (row.key, row.schedule_uid, row.name, row.revision, row.action, row.at)
    return Saved(*said, _moment(row.saved_at), row.origin)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _parts(values: Sequence[Any]) -> Iterator[list[Any]]:
    rest = iter(values)
    while part := list(islice(rest, AT_ONCE)):
        yield part
