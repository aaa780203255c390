"""The questions asked of the history. Reads only, and answers with plain data (`history.views`).

Lists are paged by key, newest first, so that page 20,000 costs what page 1 costs. The indexes are
made for these questions; a test looks at the plans. Errors of SQL pass through: the asker knows how
to say that it is away.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Row, Select, func, or_, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.sql import ColumnElement

from scheduler.errors import NotFound, Refused
from scheduler.history import audit
from scheduler.history.connecting import is_storable
from scheduler.history.cursor import cursor, key_of
from scheduler.history.models import Attempt, Report, Revision, Run, RunDetail
from scheduler.history.run_logs import log_of
from scheduler.history.views import (
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
from scheduler.rules.model.run_states import STATES, RunState

__all__ = [
    "MOST",
    "TRIGGERS",
    "AttemptView",
    "History",
    "ReportPage",
    "ReportView",
    "RevisionPage",
    "RevisionView",
    "RunFilter",
    "RunPage",
    "RunView",
]

MOST = 1000
"""Rows of one page at most."""

_CHILDREN = 200
"""Runs of a run that are shown with it; `runs(RunFilter(parent=…))` has them all."""

_UNIONS = 100
"""Schedules asked about in one statement; SQLite takes 500 parts at most."""

_LARGE = {"args", "kwargs", "result", "error", "traceback", "attempts", "children"}
_SMALL = [getattr(Run, name) for name in RunView.model_fields if name not in _LARGE]
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
    """The history in one database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def runs(self, wanted: RunFilter, *, after: str | None = None, limit: int = 50) -> RunPage:
        """A page of runs, newest first, without their large parts."""
        statement = select(Run.key, *_SMALL).where(*_conditions(wanted))
        rows, following = self._page(statement, Run.key, after, limit)
        return RunPage(items=[_run(row) for row in rows], next=following)

    def run(self, run_id: str) -> RunView:
        """One run, whole."""
        with self._engine.connect() as connection:
            found = _one(
                connection,
                select(*_SMALL, *_DETAILS).outerjoin_from(Run, RunDetail, _SAME_RUN),
                Run.id,
                run_id,
            )
            if found is None:
                raise NotFound(
                    f"there is no run {run_id[:80]!r}; `beatdesk runs list` shows them", field="run"
                )
            attempts = (
                select(*_ATTEMPT).where(Attempt.run_id == run_id, _SEEN).order_by(Attempt.number)
            )
            tries = [AttemptView(**row._mapping) for row in connection.execute(attempts)]
        return RunView(**found._mapping, attempts=tries, children=self.children(run_id))

    def children(self, run_id: str) -> list[ChildView]:
        """The first runs that came of this one, oldest first: what it has started, and what repeats
        it.
        """
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
        """What a run has logged: see `run_logs.log_of`."""
        return log_of(self._engine, run_id, after=after, limit=limit, newest=newest)

    def known(self, run_ids: Sequence[str]) -> set[str]:
        """Which of these ids belong to runs that were heard of."""
        found: set[str] = set()
        with self._engine.connect() as connection:
            for start in range(0, len(run_ids), _UNIONS):
                part = run_ids[start : start + _UNIONS]
                found.update(connection.execute(select(Run.id).where(Run.id.in_(part))).scalars())
        return found

    def makers(self, run_ids: Sequence[str]) -> dict[str, str]:
        """The name of the schedule, or else of the job, of each of these runs that was heard of."""
        found: dict[str, str] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(run_ids), _UNIONS):
                wanted = select(Run.id, Run.schedule, Run.job).where(
                    Run.id.in_(run_ids[start : start + _UNIONS])
                )
                found.update(
                    (run, schedule or job) for run, schedule, job in connection.execute(wanted)
                )
        return found

    def state_counts(self, since: datetime, until: datetime | None = None) -> dict[str, int]:
        """How many runs are in each state, of those first heard of in the time given."""
        # Not the bare column: SQLite would then read the index of states from end to end, and not
        # that of times.
        state = func.coalesce(Run.state, "").label("in_state")
        statement = (
            select(state, func.count().label("runs")).where(*_between(since, until)).group_by(state)
        )
        with self._engine.connect() as connection:
            return {row.in_state: row.runs for row in connection.execute(statement)}

    def last_runs(self, uids: Sequence[str], n: int) -> dict[str, list[RunView]]:
        """The newest `n` runs of each of these schedules, newest first; those without any are left
        out.
        """
        found: dict[str, list[RunView]] = {}
        with self._engine.connect() as connection:
            for start in range(0, len(uids), _UNIONS):
                parts = [
                    _newest(uid, n) for uid in uids[start : start + _UNIONS] if is_storable(uid)
                ]
                rows = connection.execute(union_all(*parts)).all() if parts else []
                for row in sorted(rows, key=lambda row: -row.key):
                    found.setdefault(row.schedule_uid, []).append(_run(row))
        return found

    def revisions(self, uid: str, limit: int = MOST) -> list[RevisionView]:
        """Who changed a schedule, when and why, newest first."""
        statement = select(Revision.key, *_REVISION).where(
            Revision.schedule_uid == _text(uid, "schedule_uid")
        )
        rows, _ = self._page(statement, Revision.key, None, limit)
        return [_plain(RevisionView, row) for row in rows]

    def revision(self, uid: str, number: int) -> RevisionView:
        """One revision of a schedule: the newest of those that were given its number."""
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
        return _plain(RevisionView, rows[0])

    def changes(
        self, after: str | None = None, limit: int = 50, *, of: str | None = None
    ) -> ChangePage:
        """All changes (see `audit`), or those `of` one kind, newest first."""
        _check_limit(limit)
        with self._engine.connect() as connection:
            return audit.changes(connection, after, limit, of)

    def deleted(self, after: str | None = None, limit: int = 50) -> RevisionPage:
        """The schedules whose newest revision is their deletion, newest first."""
        rows, following = self._page(_deleted(), Revision.key, after, limit)
        return RevisionPage(items=[_plain(RevisionView, row) for row in rows], next=following)

    def deleted_as(self, name: str) -> RevisionView | None:
        """The deletion of the schedule that had this name last, and was not made anew; none where
        there is none.
        """
        rows, _ = self._page(
            _deleted().where(Revision.name == _text(name, "name")), Revision.key, None, 1
        )
        return _plain(RevisionView, rows[0]) if rows else None

    def reports(
        self, after: str | None = None, limit: int = 50, *, run: str | None = None
    ) -> ReportPage:
        """The files that jobs left, or those that one run left, newest first."""
        statement = select(Report.key, *_REPORT)
        if run is not None:
            statement = statement.where(Report.run_id == _text(run, "run"))
        rows, following = self._page(statement, Report.key, after, limit)
        return ReportPage(items=[_plain(ReportView, row) for row in rows], next=following)

    def report(self, report_id: str) -> ReportView:
        """One report."""
        with self._engine.connect() as connection:
            found = _one(connection, select(*_REPORT), Report.id, report_id)
        if found is None:
            raise NotFound(
                f"there is no report {report_id[:80]!r}; it may have been kept long enough",
                field="report",
            )
        return ReportView(**found._mapping)

    def _page(
        self, statement: Select[Any], key: InstrumentedAttribute[int], after: str | None, limit: int
    ) -> tuple[Sequence[Row[Any]], str | None]:
        """One page by keyset: a row more than asked for tells whether there is a next page."""
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
_SEEN = Attempt.started_at.is_not(None) | Attempt.state.in_(_AFTER_START)
"""Attempts that began. A message that was received, and expired or was cancelled before it
began, is none.
"""


def _conditions(wanted: RunFilter) -> list[ColumnElement[bool]]:
    """The filter in SQL."""
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
        value = getattr(wanted, name)
        if value:
            conditions.append(getattr(Run, name) == _text(value, name))
    _among(wanted.state, STATES, "state")
    _among(wanted.trigger, TRIGGERS, "trigger")
    if wanted.search:
        text = _text(wanted.search, "search").lower()
        conditions.append(
            or_(
                func.lower(Run.schedule).contains(text, autoescape=True),
                func.lower(Run.job).contains(text, autoescape=True),
                Run.id.startswith(text, autoescape=True),
            )
        )
    return conditions + _between(wanted.since, wanted.until)


def _between(since: datetime | None, until: datetime | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if since is not None:
        conditions.append(Run.first_at >= since)
    if until is not None:
        conditions.append(Run.first_at < until)
    return conditions


def _among(value: str | None, known: Sequence[str], field: str) -> None:
    if value and value not in known:
        raise Refused(f"{field}: {value[:60]!r} is none of {', '.join(known)}", field=field)


def _text(value: str, field: str) -> str:
    """Text that a database can be asked about."""
    if not is_storable(value):
        raise Refused(f"{field}: {value[:60]!r} has a character that no name has", field=field)
    return value


def _newest(uid: str, n: int) -> Select[Any]:
    """The newest runs of one schedule, as a part of a union: SQLite wants the limit inside of a
    subquery.
    """
    newest = (
        select(*_SMALL, Run.key)
        .where(Run.schedule_uid == uid)
        .order_by(Run.key.desc())
        .limit(n)
        .subquery()
    )
    return select(newest)


def _deleted() -> Select[Any]:
    """The deletions after which nothing came."""
    later = aliased(Revision)
    came_back = select(later.key).where(
        later.schedule_uid == Revision.schedule_uid, later.key > Revision.key
    )
    return select(Revision.key, *_REVISION).where(Revision.action == "deleted", ~came_back.exists())


def _one(
    connection: Connection, statement: Select[Any], column: InstrumentedAttribute[str], value: str
) -> Row[Any] | None:
    """The row of this id; an id that no row can have finds none."""
    return (
        connection.execute(statement.where(column == value)).one_or_none()
        if is_storable(value)
        else None
    )


def _run(row: Row[Any]) -> RunView:
    """The view of a row of a list. Not validated again: a list page may ask for thousands, and we
    wrote them.
    """
    return RunView.model_construct(
        **{name: value for name, value in row._mapping.items() if name != "key"}
    )


def _plain(view: type[View], row: Row[Any]) -> View:
    """The view of a row that also has its key."""
    return view(**{name: value for name, value in row._mapping.items() if name != "key"})
