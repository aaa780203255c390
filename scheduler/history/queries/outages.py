"""Outages and facts in the history. Reads only."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Row, or_, select

from scheduler.history.models import Fact, Outage
from scheduler.rules.model.spec import Frozen


class OutageView(Frozen):
    """Who was away from when to when; `ended_at` is None while it lasts."""

    of: str
    name: str
    host: str | None
    began_at: datetime
    ended_at: datetime | None
    detail: str


class FactView(Frozen):
    """What holds from `at` on."""

    of: str
    name: str
    at: datetime
    value: Any


_OUTAGE = [getattr(Outage, name) for name in OutageView.model_fields]
_FACT = [getattr(Fact, name) for name in FactView.model_fields]


class Outages:
    """The outages and facts of a database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self) -> list[OutageView]:
        """Return the lasting outages, the oldest first."""
        return self._outages([Outage.ended_at.is_(None)])[::-1]

    def since(
        self, since: datetime, *, of: str | None = None, limit: int = 200
    ) -> list[OutageView]:
        """Return the outages lasting or ended after `since`, newest first, at most `limit`."""
        conditions: list[ColumnElement[bool]] = [
            or_(Outage.ended_at.is_(None), Outage.ended_at > since)
        ]
        if of is not None:
            conditions.append(Outage.of == of)
        return self._outages(conditions, limit)

    def facts(self, of: str, since: datetime, until: datetime, limit: int = 200) -> list[FactView]:
        """Return the facts of a kind in [since, until), newest first, at most `limit`."""
        statement = (
            select(*_FACT)
            .where(Fact.of == of, Fact.at >= since, Fact.at < until)
            .order_by(Fact.at.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [FactView(**row._mapping) for row in connection.execute(statement)]

    def _outages(
        self, conditions: Sequence[ColumnElement[bool]], limit: int = 1000
    ) -> list[OutageView]:
        statement = (
            select(*_OUTAGE)
            .where(*conditions)
            .order_by(Outage.began_at.desc(), Outage.key.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return [_view(row) for row in connection.execute(statement)]


def _view(row: Row[Any]) -> OutageView:
    return OutageView(**row._mapping)
