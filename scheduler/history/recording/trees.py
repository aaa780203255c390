"""The verdict on a run with children: a workflow has failed where a part has failed.

The `tree_state` of a run with children is computed from the run's own state and the children's
verdicts, from the leaves up; a run without children has no `tree_state`, and the state is the
verdict.

| the run itself | the children | verdict |
| --- | --- | --- |
| has not ended, or ended badly | any | the run's own state |
| ended well | one has not ended | `running` |
| ended well | one failed, was lost or expired | `failed` |
| ended well | one was cancelled | `revoked` |
| ended well | all ended well | the run's own state |

A repetition of a run is no part of the run. Verdicts are computed anew in the transaction that
folds an event of the run or of a child, so the order of events does not matter.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Table, bindparam, func, select, update

from scheduler.history import models
from scheduler.history.connecting import in_parts
from scheduler.history.recording.rows import RunRow
from scheduler.rules.model.run_states import RunGroup, RunState, state_of, values_in

_RUNS = cast("Table", models.Run.__table__)

DEEPEST = 50
"""How many generations up a verdict is carried."""

_REPEATS = "rerun"
_OPEN = frozenset(values_in(RunGroup.WAITING, RunGroup.ACTIVE))
_BAD = frozenset(values_in(RunGroup.FAILED, RunGroup.LATE))


class _Parent(NamedTuple):
    """A stored run with children."""

    id: str
    state: str
    tree_state: str | None
    parent: str | None
    schedule_uid: str | None
    first_at: datetime | None


class Judged(NamedTuple):
    """A run whose verdict has changed: its schedule, and the time of its first event."""

    schedule_uid: str | None
    first_at: datetime | None


def verdict(own: str, children: Collection[str]) -> str | None:
    """Return the verdict on a run in the state `own`; None without children.

    `children` are the verdicts on the children.
    """
    if not children:
        return None
    state = state_of(own)
    if state is None or state.group is not RunGroup.SUCCEEDED:
        return own
    found = set(children)
    if found & _OPEN:
        return RunState.RUNNING.value
    if found & _BAD:
        return RunState.FAILED.value
    return RunState.REVOKED.value if RunState.REVOKED.value in found else own


def roll_up(connection: Connection, touched: Iterable[RunRow]) -> list[Judged]:
    """Work out the verdicts of the touched runs that have children, and of their ancestors.

    Returns the runs whose verdict has changed.
    """
    rows = list(touched)
    judged: list[Judged] = []
    wanted: set[str | None] = {row.parent for row in rows if row.parent and row.trigger != _REPEATS}
    wanted |= _with_children(connection, [row.id for row in rows])
    for _ in range(DEEPEST):
        if not wanted:
            break
        changed = _update(connection, wanted)
        judged += [Judged(parent.schedule_uid, parent.first_at) for parent in changed]
        wanted = {parent.parent for parent in changed if parent.parent is not None}
    return judged


def _with_children(connection: Connection, ids: Sequence[str]) -> set[str | None]:
    """Return the runs with children among the given ids."""
    found: set[str | None] = set()
    for part in in_parts(ids):
        statement = select(_RUNS.c.parent).where(_RUNS.c.parent.in_(part)).distinct()
        found.update(connection.execute(statement).scalars())
    return found


def _update(connection: Connection, wanted: Iterable[str | None]) -> list[_Parent]:
    """Store the verdicts of these runs. Returns those whose verdict changed."""
    ids = sorted(run for run in wanted if run)
    changed: list[dict[str, Any]] = []
    judged: list[_Parent] = []
    for part in in_parts(ids):
        parents = _locked(connection, part)
        children = _verdicts_of_children(connection, [parent.id for parent in parents])
        for parent in parents:
            new = verdict(parent.state, children.get(parent.id, ()))
            if new != parent.tree_state:
                changed.append({"run": parent.id, "verdict": new})
                judged.append(parent)
    if changed:
        statement = (
            update(_RUNS)
            .where(_RUNS.c.id == bindparam("run"))
            .values(tree_state=bindparam("verdict"))
        )
        connection.execute(statement, changed)
    return judged


def _locked(connection: Connection, ids: Sequence[str]) -> list[_Parent]:
    """These runs, locked: another recorder may have a child of theirs at the same moment."""
    columns = [_RUNS.c[name] for name in (*_Parent._fields, "trigger")]
    statement = select(*columns).where(_RUNS.c.id.in_(ids)).order_by(_RUNS.c.id).with_for_update()
    return [
        _Parent(
            id=row.id,
            state=row.state,
            tree_state=row.tree_state,
            parent=None if row.trigger == _REPEATS else row.parent,
            schedule_uid=row.schedule_uid,
            first_at=row.first_at,
        )
        for row in connection.execute(statement)
    ]


def _verdicts_of_children(connection: Connection, ids: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the different verdicts of the children of each run."""
    own = func.coalesce(_RUNS.c.tree_state, _RUNS.c.state).label("verdict")
    statement = (
        select(_RUNS.c.parent, own)
        .where(_RUNS.c.parent.in_(ids), func.coalesce(_RUNS.c.trigger, "") != _REPEATS)
        .distinct()
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(statement):
        found.setdefault(row.parent, []).append(row.verdict)
    return found
