"""The identity of the history: the id of the database, and the number of recorded batches.

The table `history_identity` has a single row: an id made with the tables, and the number of batches
committed by recorders. Redis remembers both after each commit (`HISTORY_HASH`). So a recorder
notices, before writing and before acknowledging:

    another id                  another database lies in the place of the history
    fewer batches than Redis    the history went back in time: an older copy was restored
    no id                       the tables are missing, and must not be made anew unasked

In each case nothing is recorded, events wait in the stream, and an operator puts the right database
back, or declares with `adopt` that the present database is the history from now on. A Redis without
an identity (new, or emptied) trusts the database. In SQLite the open file is compared with the path
as well: see `open_file`.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

from sqlalchemy import Connection, Engine, Table, select, update

from scheduler.errors import Refused, Unavailable
from scheduler.history import models, outage, schema_version
from scheduler.storage import keys
from scheduler.storage.scripts import ServerScript

if TYPE_CHECKING:
    from redis import Redis

_TABLE = cast("Table", models.HistoryIdentity.__table__)

ADOPT = (
    "put the right database back; if this one is the history from now on, run `beatdesk db adopt` "
    "(with embedded servers: `beatdesk up --adopt-history`)"
)


class HistoryChanged(Unavailable):
    """The database is not the recorded history; nothing may be recorded."""


class Identity(NamedTuple):
    """The id of a history, the number of committed batches, and the time of the last batch."""

    id: str
    batches: int
    at: datetime | None = None


Verdict = Literal["same", "new", "other", "behind", "missing"]
"""`new`: Redis remembers no history. `missing`: Redis remembers one, the database has no id."""


class Comparison(NamedTuple):
    """The identity in the database, the identity remembered by Redis, and the verdict."""

    verdict: Verdict
    stored: Identity | None
    remembered: Identity | None

    @property
    def problem(self) -> str | None:
        """Why nothing may be recorded, with the remedy; None where all is well."""
        identity, in_redis = self.stored, self.remembered
        if in_redis is None or self.verdict in ("same", "new"):
            return None
        recorded = f"{in_redis.batches} batches, the last at {_moment(in_redis.at)}"
        if identity is None:
            return f"the history ({in_redis.id[:8]}, {recorded}) is not in this database; {ADOPT}"
        if self.verdict == "other":
            return (
                f"this is another history ({identity.id[:8]}) than the one recorded before "
                f"({in_redis.id[:8]}, {recorded}); {ADOPT}"
            )
        return (
            f"the history went back in time: it has {identity.batches} batches, and {recorded}, "
            f"were recorded; {ADOPT}"
        )


def stored(engine: Engine) -> Identity | None:
    """Return the identity in the database; None for a missing table or database.

    Raises SQLAlchemy's errors where the database cannot serve.
    """
    if not schema_version.exists(engine):
        return None
    try:
        with engine.connect() as connection:
            return read(connection)
    except Exception as error:
        if outage.lacks_tables(error):
            return None
        raise


def read(connection: Connection) -> Identity | None:
    """The identity in the database of a connection."""
    row = connection.execute(select(_TABLE.c.id, _TABLE.c.batches, _TABLE.c.recorded_at)).first()
    return None if row is None else Identity(row.id, row.batches, row.recorded_at)


def advance(connection: Connection, now: datetime | None, remembered: Identity | None) -> Identity:
    """Count a batch inside the batch's transaction. Returns the identity after the batch.

    Call last: in PostgreSQL the row is locked until the end of the transaction. Raises
    HistoryChanged where the database is not the history remembered by Redis.
    """
    counted = (
        update(_TABLE)
        .values(batches=_TABLE.c.batches + 1, recorded_at=now)
        .returning(_TABLE.c.id, _TABLE.c.batches)
    )
    row = connection.execute(counted).first()
    identity = None if row is None else Identity(row.id, row.batches - 1, now)
    refuse_changed(_compared(identity, remembered))
    return Identity(row.id, row.batches, now) if row is not None else Identity("", 0, now)


def remembered(redis: "Redis") -> Identity | None:
    """Return the identity remembered by Redis. Raises redis.RedisError."""
    values: Any = redis.hmget(keys.HISTORY_HASH, ["id", "batches", "at"])
    if values[0] is None:
        return None
    at = datetime.fromisoformat(values[2]) if values[2] else None
    return Identity(values[0], int(values[1] or 0), at)


def remember(redis: "Redis", identity: Identity) -> None:
    """Remember a committed batch in Redis; a number below the remembered number is ignored."""
    ServerScript(redis, __package__, "remember.lua")([keys.HISTORY_HASH], _words(identity))


def adopt(engine: Engine, redis: "Redis") -> Identity:
    """Let Redis remember the database as the history, in place of any other. Returns the identity.

    Raises Refused where the database has no tables.
    """
    identity = stored(engine)
    if identity is None:
        raise Refused("the database has no tables; run `beatdesk db upgrade`", field="database_url")
    name, batches, at = _words(identity)
    redis.hset(keys.HISTORY_HASH, mapping={"id": name, "batches": batches, "at": at})
    return identity


def compare(engine: Engine, redis: "Redis") -> Comparison:
    """Compare the database with the identity remembered by Redis. Changes nothing.

    Raises redis.RedisError, and SQLAlchemy's errors where the database cannot serve.
    """
    in_redis = remembered(redis)  # first: batches are committed before they are remembered
    return _compared(stored(engine), in_redis)


def refuse_changed(comparison: Comparison) -> None:
    """Raise HistoryChanged where nothing may be recorded."""
    problem = comparison.problem
    if problem is not None:
        raise HistoryChanged(f"SQL cannot take events: {problem}")


def refuse_new_tables(engine: Engine, redis: "Redis") -> None:
    """Refuse to make tables in a database other than the history. Raises Refused."""
    comparison = compare(engine, redis)
    if comparison.verdict in ("missing", "other") and comparison.problem is not None:
        raise Refused(f"database_url: {comparison.problem}", field="database_url")


def _compared(identity: Identity | None, in_redis: Identity | None) -> Comparison:
    return Comparison(_verdict(identity, in_redis), identity, in_redis)


def _verdict(identity: Identity | None, in_redis: Identity | None) -> Verdict:
    if in_redis is None:
        return "new"
    if identity is None:
        return "missing"
    if identity.id != in_redis.id:
        return "other"
    return "behind" if identity.batches < in_redis.batches else "same"


def _moment(at: datetime | None) -> str:
    return "an unknown time" if at is None else at.astimezone(UTC).isoformat(" ", "seconds")


def _words(identity: Identity) -> list[Any]:
    return [identity.id, identity.batches, "" if identity.at is None else identity.at.isoformat()]
