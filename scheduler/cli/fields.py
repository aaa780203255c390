"""Texts from the command line -> values, each refused with the field, the value and the remedy.

Pure but for `actor`, which asks the system who is at the keyboard. Whether a value makes sense for
a schedule is decided in `rules.check`; here it only has to be readable.
"""

import getpass
import json
import os
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.errors import BadArguments, Refused

AGO = re.compile(r"(\d{1,9})([smhd])")
YEARS = 1970, 2200
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
TIME_REMEDY = "write it as 2026-11-23T05:00:00Z or with an offset, 2026-11-23T06:00:00+01:00"


def actor() -> str:
    """Who gives the command: the name of the operating system's user, or its number where it has no
    name.
    """
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError, ImportError):
        return f"cli:{os.getuid()}"


def json_list(text: str, field: str = "args") -> list[Any]:
    """A JSON list."""
    value = _json(text, field)
    if not isinstance(value, list):
        raise BadArguments(
            f'{field}: {text!r} is not a JSON list; write it like ["a", 1]', field=field
        )
    return value


def json_object(text: str, field: str = "kwargs") -> dict[str, Any]:
    """A JSON object."""
    value = _json(text, field)
    if not isinstance(value, dict):
        raise BadArguments(
            f'{field}: {text!r} is not a JSON object; write it like {{"days": 1}}', field=field
        )
    return value


def _json(text: str, field: str) -> Any:
    try:
        return json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadArguments(
            f"{field}: {_cut(text)!r} is not JSON ({error}); names and texts stand in double "
            "quotes, and the shell needs single quotes around the whole",
            field=field,
        ) from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number in JSON")


def instant(text: str, field: str) -> datetime:
    """An instant with its zone, in UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{field}: {text!r} is not a time; {TIME_REMEDY}", field=field) from None
    if at.tzinfo is None:
        raise Refused(f"{field}: {text!r} has no time zone; {TIME_REMEDY}", field=field)
    return _within(text, field, lambda: at.astimezone(UTC))


def wall_time(text: str, field: str, zone: ZoneInfo) -> datetime:
    """An instant: with an offset as it is, without one on the clock of `zone`, the first time where
    it comes twice.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Refused(f"{field}: {text!r} is not a time; {TIME_REMEDY}", field=field) from None
    if at.tzinfo is not None:
        return instant(text, field)
    found = _within(text, field, lambda: at.replace(tzinfo=zone).astimezone(UTC))
    if found.astimezone(zone).replace(tzinfo=None) != at:
        raise Refused(
            f"{field}: {text!r} does not exist in {zone.key}, where the clock goes forward; "
            "choose another time",
            field=field,
        )
    return found


def seconds(text: str, field: str) -> float:
    """A length of time: a number of seconds, or `90s`, `15m`, `2h`, `1d`."""
    long = AGO.fullmatch(text)
    if long is not None:
        return timedelta(**{UNITS[long[2]]: int(long[1])}).total_seconds()
    try:
        number = float(text)
    except ValueError:
        raise Refused(
            f"{field}: {text!r} is not a length of time; write seconds, or 15m, 2h, 1d", field=field
        ) from None
    return number


def whole(text: str, field: str) -> int:
    """A whole number."""
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused(
            f"{field}: {text!r} is not a whole number; `none` takes the limit away", field=field
        )
    return int(text)


def moment(text: str, field: str, *, now: datetime) -> datetime:
    """An instant, or how long ago: `90s`, `15m`, `24h`, `7d`."""
    ago = AGO.fullmatch(text)
    if ago is None:
        return instant(text, field)
    return _within(text, field, lambda: now - timedelta(**{UNITS[ago[2]]: int(ago[1])}))


def moment_ahead(text: str, field: str, *, now: datetime) -> datetime:
    """An instant, or how long from now: `90s`, `15m`, `24h`, `7d`."""
    ahead = AGO.fullmatch(text)
    if ahead is None:
        return instant(text, field)
    return _within(text, field, lambda: now + timedelta(**{UNITS[ahead[2]]: int(ahead[1])}))


def _within(text: str, field: str, reckon: Callable[[], datetime]) -> datetime:
    """The instant, if it is one that schedules and histories can be about."""
    try:
        at = reckon()
        inside = YEARS[0] <= at.year <= YEARS[1]
    except OverflowError:
        inside = False
    if not inside:
        raise Refused(
            f"{field}: {text!r} is too far away; the years {YEARS[0]} to {YEARS[1]} are read",
            field=field,
        )
    return at


def priority(text: str) -> int | None:
    """0 to 9, or none where the text is `none`."""
    if text == "none":
        return None
    if text not in {str(digit) for digit in range(10)}:
        raise Refused(
            f"priority: {text!r} is not a digit from 0 to 9; `none` takes it away", field="priority"
        )
    return int(text)


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
