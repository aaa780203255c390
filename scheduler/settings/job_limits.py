"""What jobs may touch, as operators of the machine write it in the settings. Pure: texts in,
entries out.

`FILE_ROOTS` is a list of folders, `CLEANUP_SQL_ROWS` a list of `TABLE.COLUMN AGE` (or
`SCHEMA.TABLE.COLUMN AGE`), `CLEANUP_REDIS_KEYS` a list of `PATTERN AGE`. The age is the least one
at which something may go; a schedule may ask for a greater one, never for a smaller.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePath

_AGE = re.compile(r"(?P<number>[1-9][0-9]{0,4})(?P<unit>[mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_GLOB = re.compile(r"[*?\[\]\\]")

OTHERS_PREFIXES = ("beatdesk:", "redbeat:", "_kombu.", "unacked", "celery", "/")
"""Beatdesk's own keys, RedBeat's, and those of Celery's broker and result back end (the last is
kombu's fan-out).
"""

LEAST_PREFIX = 3
"""Characters that a pattern must have before its first wildcard."""


@dataclass(frozen=True, slots=True)
class SqlRows:
    """Rows of `table` whose `column` is older than `age` may be deleted; `schema` is
    PostgreSQL's.
    """

    schema: str | None
    table: str
    column: str
    age: timedelta

    @property
    def name(self) -> str:
        """As schedules name it: `TABLE.COLUMN`."""
        return ".".join(part for part in (self.schema, self.table, self.column) if part)


@dataclass(frozen=True, slots=True)
class RedisKeys:
    """Keys that match `pattern` and that nobody has touched for `idle` may be deleted."""

    pattern: str
    idle: timedelta


def file_root(text: str) -> PurePath:
    """One entry of `FILE_ROOTS`. Raises ValueError with what is wrong."""
    path = PurePath(text)
    if not path.is_absolute() or ".." in path.parts or path == PurePath(path.anchor):
        raise ValueError(f"{text!r} is not the absolute path of a folder below /, without '..'")
    return path


def sql_rows(text: str) -> SqlRows:
    """One entry of `CLEANUP_SQL_ROWS`. Raises ValueError with what is wrong."""
    place, age = _two(text, "TABLE.COLUMN AGE, such as sessions.created_at 30d")
    parts = place.split(".")
    if len(parts) not in (2, 3) or not all(_IDENTIFIER.fullmatch(part) for part in parts):
        raise ValueError(f"{place!r} is not TABLE.COLUMN or SCHEMA.TABLE.COLUMN of plain names")
    return SqlRows(parts[0] if len(parts) == 3 else None, parts[-2], parts[-1], _age(age))


def redis_keys(text: str) -> RedisKeys:
    """One entry of `CLEANUP_REDIS_KEYS`. Raises ValueError with what is wrong."""
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
    return RedisKeys(pattern, _age(age))


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
