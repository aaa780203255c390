"""The access log: pages by person, kind and time; the whole log; and its chain. Reads only."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple, get_args

from sqlalchemy import ColumnElement, Connection, Engine, func, or_, select

from scheduler.errors import Refused
from scheduler.events.access import PROGRAM, AnyAccess
from scheduler.history.access_chain import EMPTY, Content, Head, next_head
from scheduler.history.access_models import AccessHead, AccessRow
from scheduler.history.queries.cursor import cursor, key_of
from scheduler.rules.model.spec import Frozen

KINDS = tuple(
    kind.model_fields["kind"].default.removeprefix("access.") for kind in get_args(AnyAccess)
)
"""The kinds of access, as in the column `kind`."""


class AccessView(Frozen):
    """A row of the access log."""

    number: int
    kind: str
    at: datetime
    actor: str
    subject: str
    address: str
    detail: str
    digest: str


class AccessPage(Frozen):
    """Rows, newest first; `next` is the place of the following page, None on the last."""

    items: list[AccessView]
    next: str | None = None


class Chain(NamedTuple):
    """The result of a comparison of all rows with their digests.

    `fault` names the first row that is missing or changed, None for a whole chain.
    """

    rows: int
    head: Head
    fault: str | None


_VIEW: list[Any] = [getattr(AccessRow, name) for name in AccessView.model_fields]
_LINK: list[Any] = [*(getattr(AccessRow, name) for name in Content._fields), AccessRow.digest]


class AccessHistory:
    """The access log of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self,
        *,
        person: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> AccessPage:
        """Return a page of rows in [since, until), of one kind, that `person` did, also by
        a token, or suffered.

        Raises Refused for an unknown kind, and for a text that is no place.
        """
        conditions = _conditions(person, kind, since, until)
        place = key_of(after)
        if place is not None:
            conditions.append(AccessRow.number < place)
        statement = (
            select(*_VIEW).where(*conditions).order_by(AccessRow.number.desc()).limit(limit + 1)
        )
        with self._engine.connect() as connection:
            rows = [AccessView(**row._mapping) for row in connection.execute(statement)]
        items = rows[:limit]
        return AccessPage(items=items, next=cursor(items[-1].number) if len(rows) > limit else None)

    def rows(
        self,
        *,
        person: str | None = None,
        kind: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        batch: int = 1000,
    ) -> Iterator[AccessView]:
        """Return an iterator over all such rows, oldest first, a batch in memory at a time.

        Raises Refused for an unknown kind, at once and not with the first row.
        """
        return self._rows(_conditions(person, kind, since, until), batch)

    def _rows(self, conditions: list[ColumnElement[bool]], batch: int) -> Iterator[AccessView]:
        last = 0
        while True:
            statement = (
                select(*_VIEW)
                .where(*conditions, AccessRow.number > last)
                .order_by(AccessRow.number)
                .limit(batch)
            )
            with self._engine.connect() as connection:
                found = [AccessView(**row._mapping) for row in connection.execute(statement)]
            yield from found
            if len(found) < batch:
                return
            last = found[-1].number

    def verify(
        self, noted: Head | None = None, *, newest: int | None = None, batch: int = 1000
    ) -> Chain:
        """Compare all rows with their digests, or the `newest` only, and the chain with a head
        `noted` earlier.
        """
        fault: str | None = None
        with self._engine.connect() as connection:
            last = connection.scalar(select(func.max(AccessRow.number))) or 0
            stored = _head(connection)  # read after the rows, so that it never lags behind them
            if last > stored.number:
                fault = (
                    f"row {stored.number + 1} is beyond the head of the log, which ends before it"
                )
                return Chain(stored.number, stored, fault)
            head = EMPTY if newest is None else _head_at(connection, stored.number - newest)
            for row in _links(connection, head.number, stored.number, batch):
                fault = _fault(head, row)
                if fault is not None:
                    return Chain(head.number, head, fault)
                head = Head(row.number, row.digest)
                if noted is not None and noted.number == head.number and noted != head:
                    return Chain(head.number, head, f"row {head.number} has another digest")
        if head != stored:
            fault = f"row {head.number + 1} is missing: the log ended at row {stored.number}"
        elif noted is not None and noted.number > head.number:
            fault = f"row {head.number + 1} is missing: the log had {noted.number} rows"
        return Chain(head.number, head, fault)


def _conditions(
    person: str | None, kind: str | None, since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    if kind and kind not in KINDS:
        raise Refused(
            f"kind: {kind[:40]!r} is no kind of access; choose one of {', '.join(KINDS)}",
            field="kind",
        )
    conditions: list[ColumnElement[bool]] = []
    if person:
        token_of_person = AccessRow.actor.startswith(f"{person} {PROGRAM}", autoescape=True)
        conditions.append(
            or_(AccessRow.actor == person, AccessRow.subject == person, token_of_person)
        )
    if kind:
        conditions.append(AccessRow.kind == kind)
    if since is not None:
        conditions.append(AccessRow.at >= since)
    if until is not None:
        conditions.append(AccessRow.at < until)
    return conditions


def _head(connection: Connection) -> Head:
    row = connection.execute(select(AccessHead.number, AccessHead.digest)).one_or_none()
    return EMPTY if row is None else Head(row.number, row.digest)


def _head_at(connection: Connection, number: int) -> Head:
    """The head as it was after a row; that of an empty chain for a row that does not exist."""
    row = connection.execute(
        select(AccessRow.number, AccessRow.digest).where(AccessRow.number == number)
    ).one_or_none()
    return EMPTY if row is None else Head(row.number, row.digest)


def _links(connection: Connection, number: int, last: int, batch: int) -> Iterator[Any]:
    """The rows after `number` up to `last`: rows recorded meanwhile wait for the next call."""
    while True:
        statement = (
            select(*_LINK)
            .where(AccessRow.number > number, AccessRow.number <= last)
            .order_by(AccessRow.number)
            .limit(batch)
        )
        found = connection.execute(statement).all()
        yield from found
        if len(found) < batch:
            return
        number = found[-1].number


def _fault(head: Head, row: Any) -> str | None:
    """What is wrong with the row after `head`; None for the right one."""
    if row.number != head.number + 1:
        return f"row {head.number + 1} is missing"
    *columns, digest = row
    if next_head(head, Content(*columns)).digest != digest:
        return f"row {row.number} was changed"
    return None
