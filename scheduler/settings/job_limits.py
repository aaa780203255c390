"""The limits of built-in jobs: files, SQL rows and Redis keys that jobs may change or delete. Pure.

`FILE_ROOTS` is a list of folders, `CLEANUP_SQL_ROWS` a list of `TABLE.COLUMN AGE` (or
`SCHEMA.TABLE.COLUMN AGE`), `CLEANUP_REDIS_KEYS` a list of `PATTERN AGE`. The age is the least age
at which rows or keys may be deleted; a schedule may use a greater age, never a smaller.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import PurePath

from scheduler.storage import keys

_AGE = re.compile(r"(?P<number>[1-9][0-9]{0,4})(?P<unit>[mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_GLOB = re.compile(r"[*?\[\]\\]")

OTHERS_PREFIXES = ("beatdesk:", "redbeat:", "_kombu.", "unacked", "celery", "/")
"""Prefixes of keys of Beatdesk, RedBeat, and Celery's broker and result backend (`/` is kombu's
fan-out).
"""

OWN_QUEUES = ("critical", "default", "bulk", "celery")
"""Lists of waiting messages, as `celery_app.queues` names them."""

LEAST_PREFIX = 3
"""Least number of characters before the first wildcard of a pattern."""


@dataclass(frozen=True, slots=True)
class SqlRows:
    """Rows open to deletion: with a `column` older than `age`; `schema` is for PostgreSQL."""

    schema: str | None
    table: str
    column: str
    age: timedelta

    @property
    def name(self) -> str:
        """The name in a schedule's arguments: `TABLE.COLUMN`."""
        return ".".join(part for part in (self.schema, self.table, self.column) if part)


@dataclass(frozen=True, slots=True)
class RedisKeys:
    """Keys open to deletion: matching `pattern`, and unused for `idle`."""

    pattern: str
    idle: timedelta


def file_root(text: str) -> PurePath:
    """Return a single entry of `FILE_ROOTS`. Raises ValueError with the fault."""
    path = PurePath(text)
    if not path.is_absolute() or ".." in path.parts or path == PurePath(path.anchor):
        raise ValueError(f"{text!r} is not the absolute path of a folder below /, without '..'")
    return path


def sql_rows(text: str) -> SqlRows:
    """Return a single entry of `CLEANUP_SQL_ROWS`. Raises ValueError with the fault."""
    place, age = _two(text, "TABLE.COLUMN AGE, such as sessions.created_at 30d")
    parts = place.split(".")
    if len(parts) not in (2, 3) or not all(_IDENTIFIER.fullmatch(part) for part in parts):
        raise ValueError(f"{place!r} is not TABLE.COLUMN or SCHEMA.TABLE.COLUMN of plain names")
    return SqlRows(parts[0] if len(parts) == 3 else None, parts[-2], parts[-1], _age(age))


def redis_keys(text: str) -> RedisKeys:
    """Return a single entry of `CLEANUP_REDIS_KEYS`. Raises ValueError with the fault."""
    pattern, age = _two(text, "PATTERN AGE, such as session:* 7d")
    prefix = _GLOB.split(pattern)[0]
    if len(prefix) < LEAST_PREFIX:
        raise ValueError(
            f"{pattern!r} must begin with {LEAST_PREFIX} or more plain characters before a wildcard"
        )
    if others := [
        name for name in OTHERS_PREFIXES if prefix.startswith(name) or name.startswith(prefix)
    ]:
        raise ValueError(f"{pattern!r} may match {others[0]!r}…, which is not yours to delete")
    if queues := [name for name in OWN_QUEUES if _may_match_queue(pattern, name)]:
        raise ValueError(f"{pattern!r} matches the queue {queues[0]!r} with its waiting runs")
    return RedisKeys(pattern, _age(age))


def _may_match_queue(pattern: str, queue: str) -> bool:
    """Whether the pattern matches the list of a queue, of any priority."""
    return any(fnmatchcase(f"{queue}{step}", pattern) for step in keys.PRIORITY_STEPS)


def age_and_place(text: str, form: str) -> tuple[str, timedelta]:
    """Return the place and the age of `PLACE AGE`. Raises ValueError."""
    place, age = _two(text, form)
    return place, _age(age)


def _two(text: str, form: str) -> tuple[str, str]:
    parts = text.split()
    if len(parts) != 2:
        raise ValueError(f"{text!r} is not {form}")
    return parts[0], parts[1]


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not an age such as 90m, 12h or 30d")
    return timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
