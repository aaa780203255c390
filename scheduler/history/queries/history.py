"""Questions about the history. Reads only; answers with the plain data of `queries.views`.

Lists are paged by key, newest first, so that page 20,000 costs as much as page 1. The indexes are
made for the questions; a test checks the query plans. Errors of SQL pass through: callers report an
outage.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, Select, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql import ColumnElement

from scheduler.errors import NotFound, Refused
from scheduler.history.connecting import in_parts, is_storable
from scheduler.history.models import Attempt, Report, Revision, Run, RunDetail
from scheduler.history.queries import audit
from scheduler.history.queries.blockers import blocker_of
from scheduler.history.queries.cursor import cursor, key_of
from scheduler.history.queries.run_logs import log_of
from scheduler.history.queries.search import found_keys, newest_rows
from scheduler.history.queries.views import (
    TRIGGERS,
    AttemptView,
    ChangePage,
    ChildView,
    LogPage,
    ReportPage,
    ReportView,
    RevisionPage,
    RevisionView,
    RunFilter,
    RunPage,
    RunView,
)
from scheduler.history.recorded_runs import recorded
from scheduler.history.tick_counts import first_between, ticks
from scheduler.rules.model.run_states import STATES, RunState

MOST = 1000
"""Most rows of a page."""

_CHILDREN = 200
"""Children shown with a run; `runs(RunFilter(parent=…))` lists all."""

_SORTED_RUNS = 20_000
"""Most runs in a time that are sorted; with more runs, the order of the key is read."""

_LARGE = {
    "args",
    "kwargs",
    "result",
    "error",
    "traceback",
    "attempts",
    "children",
    "detail",
    "blocker",
}
_SMALL = [getattr(Run, name) for name in RunView.model_fields if name not in _LARGE]
_VERDICT = [
    func.coalesce(Run.tree_state, Run.state).label("state") if column is Run.state else column
    for column in _SMALL
]
"""The columns of a run, with the verdict on the run and the children in place of the state."""

_DETAILS = [
    RunDetail.args,
    RunDetail.kwargs,
    RunDetail.result,
    RunDetail.error,
    RunDetail.traceback,
]
_ATTEMPT = [getattr(Attempt, name) for name in AttemptView.model_fields]
_REVISION = [getattr(Revision, name) for name in RevisionView.model_fields]
_REPORT = [getattr(Report, name) for name in ReportView.model_fields]


View = TypeVar("View", RevisionView, ReportView)


class History:
    """The history in a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def runs(self, run_filter: RunFilter, *, after: str | None = None, limit: int = 50) -> RunPage:
        """Return a page of runs, newest first, without the large fields.

        Raises Refused for bad filters.
        """
        _check_limit(limit)
        conditions = _conditions(run_filter)
        before = key_of(after)
        if before is not None:
            conditions.append(Run.key < before)
        with self._engine.connect() as connection:
            if run_filter.search:
                # A statement with as many parts as names match is not worth remembering: each
                # would take a megabyte of memory.
                connection.execution_options(compiled_cache=None)
                text = _text(run_filter.search, "search").lower()
                conditions.append(found_keys(connection, text, conditions, limit + 1))
            if _is_sorted(connection, run_filter):
                # By the index of times, whose entries are sorted without reading the rows.
                newest = select(Run.key).where(*conditions).order_by((Run.key + 0).desc())
                conditions = [Run.key.in_(newest.limit(limit + 1))]
            statement = select(Run.key, *_SMALL).where(*conditions).order_by(Run.key.desc())
            rows = connection.execute(statement.limit(limit + 1)).all()
        items = [_run(row) for row in rows[:limit]]
        return RunPage(items=items, next=cursor(rows[limit - 1].key) if len(rows) > limit else None)

    def run(self, run_id: str) -> RunView:
        """A run with all fields, attempts and children. Raises NotFound."""
        with self._engine.connect() as connection:
            row = _one(
                connection,
                select(Run.key, *_SMALL, *_DETAILS).outerjoin_from(Run, RunDetail, _SAME_RUN),
                Run.id,
                run_id,
            )
            if row is None:
                raise NotFound(
                    f"there is no run {run_id[:80]!r}; `beatdesk runs list` shows them", field="run"
                )
            attempts = (
                select(*_ATTEMPT).where(Attempt.run_id == run_id, _BEGAN).order_by(Attempt.number)
            )
            attempt_views = [AttemptView(**row._mapping) for row in connection.execute(attempts)]
            blocker = None
            if (row.state, row.reason) == (RunState.SKIPPED.value, "overlap"):
                blocker = blocker_of(connection, row.schedule_uid, row.tick, row.key)
        columns = {name: value for name, value in row._mapping.items() if name != "key"}
        return RunView(
            **columns,
            attempts=attempt_views,
            children=self.children(run_id),
            detail=None if blocker is None else blocker.sentence,
            blocker=None if blocker is None else blocker.run,
        )

    def children(self, run_id: str) -> list[ChildView]:
        """Return the first runs started by a run, or repetitions of the run, oldest first."""
        statement = (
            select(Run.id, Run.job, Run.state)
            .where(Run.parent == run_id)
            .order_by(Run.key)
            .limit(_CHILDREN)
        )
        with self._engine.connect() as connection:
            return [ChildView(**row._mapping) for row in connection.execute(statement)]

    def log(
        self, run_id: str, *, after: str | None = None, limit: int = 50, newest: bool = False
    ) -> LogPage:
        """The log lines of a run: see `run_logs.log_of`."""
        return log_of(self._engine, run_id, after=after, limit=limit, newest=newest)

    def recorded(self, run_ids: Sequence[str]) -> set[str]:
        """Return the ids of recorded runs among the given ids."""
        with self._engine.connect() as connection:
            return recorded(connection, run_ids)

    def makers(self, run_ids: Sequence[str]) -> dict[str, str]:
        """The name of the schedule, or else of the job, of each recorded run, by the run's id."""
        names: dict[str, str] = {}
        with self._engine.connect() as connection:
            for part in in_parts(run_ids):
                statement = select(Run.id, Run.schedule, Run.job).where(Run.id.in_(part))
                names.update(
                    (run, schedule or job) for run, schedule, job in connection.execute(statement)
                )
        return names

    def state_counts(self, since: datetime, until: datetime | None = None) -> dict[str, int]:
        """The number of ticks in each state (`tick_counts`), by first event in [since, until)."""
        # Not the bare column: SQLite would then read the whole index of states instead of the index
        # of times.
        state = func.coalesce(Run.state, "").label("in_state")
        statement = (
            select(state, ticks().label("runs")).where(*first_between(since, until)).group_by(state)
        )
        with self._engine.connect() as connection:
            return {row.in_state: row.runs for row in connection.execute(statement)}

    def last_runs(self, uids: Sequence[str], n: int) -> dict[str, list[RunView]]:
        """Return the newest `n` runs of each schedule, newest first, by uid.

        Schedules without runs are left out. The state of a run with children is the verdict on all
        of them (`recording.trees`).
        """
        runs: dict[str, list[RunView]] = {}
        wanted = [uid for uid in dict.fromkeys(uids) if is_storable(uid)]
        with self._engine.connect() as connection:
            for row in newest_rows(connection, wanted, _VERDICT, n):
                runs.setdefault(row.schedule_uid, []).append(_run(row))
        return runs

    def failed_trees(self, limit: int) -> list[RunView]:
        """Return the newest runs that ended well with a failed part; the state is the verdict."""
        failed = RunState.FAILED.value
        statement = (
            select(Run.key, *_VERDICT)
            .where(Run.tree_state == failed, Run.state != failed)
            .order_by(Run.key.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_run(row) for row in connection.execute(statement)]

    def revisions(self, uid: str, limit: int = MOST) -> list[RevisionView]:
        """The revisions of a schedule, newest first."""
        statement = select(Revision.key, *_REVISION).where(
            Revision.schedule_uid == _text(uid, "schedule_uid")
        )
        rows, _ = self._page(statement, Revision.key, None, limit)
        return [_view(RevisionView, row) for row in rows]

    def revision(self, uid: str, number: int) -> RevisionView:
        """Return the newest revision of a schedule with the given number. Raises NotFound."""
        statement = select(Revision.key, *_REVISION).where(
            Revision.schedule_uid == _text(uid, "schedule_uid"), Revision.revision == number
        )
        rows, _ = (
            self._page(statement, Revision.key, None, 1) if 0 <= number < 2**31 else ([], None)
        )
        if not rows:
            raise NotFound(
                f"there is no revision {number}; `beatdesk schedules revisions` lists them",
                field="revision",
            )
        return _view(RevisionView, rows[0])

    def changes(
        self, after: str | None = None, limit: int = 50, *, of: str | None = None
    ) -> ChangePage:
        """Return a page of changes (see `audit`), all or `of` one kind, newest first."""
        _check_limit(limit)
        with self._engine.connect() as connection:
            return audit.changes(connection, after, limit, of)

    def deleted(self, after: str | None = None, limit: int = 50) -> RevisionPage:
        """Return a page of schedules whose newest revision is a deletion, newest first."""
        rows, following = self._page(_deleted(), Revision.key, after, limit)
        return RevisionPage(items=[_view(RevisionView, row) for row in rows], next=following)

    def deleted_as(self, name: str) -> RevisionView | None:
        """Return the deletion of the last schedule called `name`; None without a deletion.

        A schedule created again does not count as deleted.
        """
        rows, _ = self._page(
            _deleted().where(Revision.name == _text(name, "name")), Revision.key, None, 1
        )
        return _view(RevisionView, rows[0]) if rows else None

    def reports(
        self, after: str | None = None, limit: int = 50, *, run: str | None = None
    ) -> ReportPage:
        """Return a page of files left by jobs, newest first; `run` selects the files of a run."""
        statement = select(Report.key, *_REPORT)
        if run is not None:
            statement = statement.where(Report.run_id == _text(run, "run"))
        rows, following = self._page(statement, Report.key, after, limit)
        return ReportPage(items=[_view(ReportView, row) for row in rows], next=following)

    def report(self, report_id: str) -> ReportView:
        """A report. Raises NotFound."""
        with self._engine.connect() as connection:
            row = _one(connection, select(*_REPORT), Report.id, report_id)
        if row is None:
            raise NotFound(
                f"there is no report {report_id[:80]!r}; it may have been kept long enough",
                field="report",
            )
        return ReportView(**row._mapping)

    def _page(
        self, statement: Select[Any], key: InstrumentedAttribute[int], after: str | None, limit: int
    ) -> tuple[Sequence[Row[Any]], str | None]:
        """Return a page by keyset. A row beyond the limit means that there is a next page."""
        _check_limit(limit)
        before = key_of(after)
        if before is not None:
            statement = statement.where(key < before)
        with self._engine.connect() as connection:
            rows = connection.execute(statement.order_by(key.desc()).limit(limit + 1)).all()
        return rows[:limit], cursor(rows[limit - 1].key) if len(rows) > limit else None


def _check_limit(limit: int) -> None:
    if not 1 <= limit <= MOST:
        raise Refused(f"limit: {limit} is not from 1 to {MOST}", field="limit")


_SAME_RUN = RunDetail.run_id == Run.id

_AFTER_START = tuple(
    state.value for state in (RunState.SUCCEEDED, RunState.FAILED, RunState.RETRYING)
)
_BEGAN = Attempt.started_at.is_not(None) | Attempt.state.in_(_AFTER_START)
"""Attempts that began. A message that expired or was cancelled before the start is no attempt."""


def _conditions(run_filter: RunFilter) -> list[ColumnElement[bool]]:
    """The filter in SQL. Raises Refused with the field."""
    conditions: list[ColumnElement[bool]] = []
    for name in (
        "schedule",
        "schedule_uid",
        "job",
        "state",
        "worker",
        "queue",
        "trigger",
        "parent",
    ):
        value = getattr(run_filter, name)
        if value:
            conditions.append(getattr(Run, name) == _text(value, name))
    _check_choice(run_filter.state, STATES, "state")
    _check_choice(run_filter.trigger, TRIGGERS, "trigger")
    return conditions + first_between(run_filter.since, run_filter.until)


def _is_sorted(connection: Connection, run_filter: RunFilter) -> bool:
    """Whether the time of the filter has few enough runs to sort all.

    In the order of keys, all newer runs would be read to find the runs of the time.
    """
    times = first_between(run_filter.since, run_filter.until)
    if not times:
        return False
    some = select(literal(1)).select_from(Run).where(*times).limit(_SORTED_RUNS + 1).subquery()
    return connection.execute(select(func.count()).select_from(some)).scalar_one() <= _SORTED_RUNS


def _check_choice(value: str | None, choices: Sequence[str], field: str) -> None:
    if value and value not in choices:
        raise Refused(f"{field}: {value[:60]!r} is none of {', '.join(choices)}", field=field)


def _text(value: str, field: str) -> str:
    """Return the text, if a database can hold it. Raises Refused with the field."""
    if not is_storable(value):
        raise Refused(f"{field}: {value[:60]!r} has a character that no name has", field=field)
    return value


def _deleted() -> Select[Any]:
    """Return deletions with no later revision of the schedule."""
    later = aliased(Revision)
    came_back = select(later.key).where(
        later.schedule_uid == Revision.schedule_uid, later.key > Revision.key
    )
    return select(Revision.key, *_REVISION).where(Revision.action == "deleted", ~came_back.exists())


def _one(
    connection: Connection, statement: Select[Any], column: InstrumentedAttribute[str], value: str
) -> Row[Any] | None:
    """Return the row with the given id; None for an id that no row can have."""
    return (
        connection.execute(statement.where(column == value)).one_or_none()
        if is_storable(value)
        else None
    )


def _run(row: Row[Any]) -> RunView:
    """Return the view of a row of a list.

    Not validated again: a page may have thousands of rows, all written by Beatdesk.
    """
    return RunView.model_construct(
        **{name: value for name, value in row._mapping.items() if name != "key"}
    )


def _view(view: type[View], row: Row[Any]) -> View:
    """Return the view of a row that also has a key."""
    return view(**{name: value for name, value in row._mapping.items() if name != "key"})
