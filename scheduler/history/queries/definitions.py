"""The schedules in the history, complete enough to restore a schedule lost by Redis.

Reads only. Facts come without definitions, so that ten thousand are cheap; definitions are read
where needed.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, Select, String, func, literal, select, union_all

from scheduler.history.connecting import AT_ONCE, in_parts
from scheduler.history.models import Revision, Run
from scheduler.history.queries.views import Saved
from scheduler.rules.model.run_states import RunState

NEWEST = 50
"""Runs of a schedule searched for the last tick; retries and late ends keep the order of runs."""

_WITHOUT_RUN = tuple(state.value for state in RunState if state.is_without_run)


class Definitions:
    """The schedules of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest_key(self) -> int:
        """The key of the newest fact; 0 in an empty history."""
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

    def definitions(self, fact_keys: Collection[int]) -> dict[int, Any]:
        """The whole schedules of facts, by key."""
        definitions: dict[int, Any] = {}
        with self._engine.connect() as connection:
            for part in in_parts(sorted(fact_keys), AT_ONCE):
                rows = connection.execute(
                    select(Revision.key, Revision.definition).where(Revision.key.in_(part))
                )
                definitions.update((row.key, row.definition) for row in rows)
        return definitions

    def last_ticks(self, uids: Collection[str]) -> dict[str, datetime]:
        """Return the newest tick with a verdict or a run, by the schedule's uid.

        Schedules without such a tick are left out.
        """
        ticks: dict[str, datetime] = {}
        with self._engine.connect() as connection:
            for part in in_parts(sorted(uids), AT_ONCE):
                rows = connection.execute(_last_ticks(part))
                ticks.update((uid, tick) for uid, tick in rows if tick is not None)
        return ticks

    def run_count(self, uid: str) -> int:
        """Return the number of a schedule's ticks that became runs."""
        runs = select(func.count()).where(
            Run.schedule_uid == uid, Run.trigger == "schedule", Run.state.not_in(_WITHOUT_RUN)
        )
        with self._engine.connect() as connection:
            return connection.execute(runs).scalar_one()


def _last_ticks(uids: Sequence[str]) -> Select[str, datetime]:
    """The last tick of each schedule, in SQL: reads the newest runs of each schedule only."""
    schedules = [select(literal(uid, String(36)).label("uid")) for uid in uids]
    wanted = union_all(*schedules).subquery() if len(schedules) > 1 else schedules[0].subquery()
    newest = (
        select(func.coalesce(Run.tick_to, Run.tick).label("tick"))
        .where(Run.schedule_uid == wanted.c.uid, Run.trigger == "schedule")
        .order_by(Run.key.desc())
        .limit(NEWEST)
        .correlate(wanted)
        .subquery()
    )
    return select(wanted.c.uid, select(func.max(newest.c.tick)).scalar_subquery())


def _saved(row: Row[Any]) -> Saved:
    columns = (row.key, row.schedule_uid, row.name, row.revision, row.action, row.at)
    return Saved(*columns, _moment(row.saved_at), row.origin)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
