"""Texts from the command line -> values; a refusal names the field, the value and the remedy.

Pure except `actor`, which reads the name of the system's user. `rules.check` decides whether a
value suits a schedule; here a value only has to be readable.
"""

import getpass
import json
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from scheduler.errors import BadArguments, Refused
from scheduler.rules.model.edit import Edit
from scheduler.rules.time import typed as typed_times
from scheduler.rules.time import zones
from scheduler.rules.time.typed import UTC_ZONE, Direction, Zone
from scheduler.settings.schema import Settings


def actor() -> str:
    """Return the name of the operating system's user, or the user's number without a name."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError, ImportError):
        return f"cli:{os.getuid()}"


def edit(*, now: datetime, comment: str = "") -> Edit:
    """Return the edit made by the current user."""
    return Edit(actor=actor(), now=now, comment=comment)


def json_list(text: str, field: str = "args") -> list[Any]:
    """Return a JSON list. Raises a refusal for any other text."""
    value = _json(text, field)
    if not isinstance(value, list):
        raise BadArguments(
            f'{field}: {text!r} is not a JSON list; write it like ["a", 1]', field=field
        )
    return value


def json_object(text: str, field: str = "kwargs") -> dict[str, Any]:
    """Return a JSON object. Raises a refusal for any other text."""
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
    """Return an instant, in UTC, from a text with an offset."""
    return typed_times.read_instant(text, field)


def moment(text: str, field: str, *, now: datetime, zone: Zone = UTC_ZONE) -> datetime:
    """Return a past instant (`rules.time.typed`); a time of day is read in `zone`."""
    return typed_times.read_time(text, field, now=now, direction=Direction.PAST, zone=zone)


def moment_ahead(
    text: str, field: str, *, now: datetime, zone: Zone = UTC_ZONE, plain_zone: Zone | None = None
) -> datetime:
    """Return a future instant (`rules.time.typed`).

    A date without an offset is read in `plain_zone`, and refused without `plain_zone`.
    """
    return typed_times.read_time(
        text, field, now=now, direction=Direction.AHEAD, zone=zone, plain_zone=plain_zone
    )


def default_clock(settings: Settings) -> Callable[[], ZoneInfo]:
    """Return a function for the default zone, for times of day without a schedule."""
    return lambda: zones.zone(settings.default_timezone)


def seconds(text: str, field: str) -> float:
    """Return a length of time in seconds: from a number of seconds, or `90s`, `15m`, `2h`, `1d`."""
    return typed_times.read_length(text, field)


def whole(text: str, field: str, least: float | None = None, most: float | None = None) -> int:
    """Return a whole number within the limits `least` and `most`, where both are given."""
    is_number = text.isascii() and text.isdigit() and len(text) < 10
    if least is None or most is None:
        if not is_number:
            raise Refused(
                f"{field}: {text!r} is not a whole number; `none` removes the limit", field=field
            )
    elif not (is_number and least <= int(text) <= most):
        raise Refused(
            f"{field}: {text!r} is not a number from {least:g} to {most:g}; `none` takes it away",
            field=field,
        )
    return int(text)


def _cut(text: str) -> str:
    return text if len(text) <= 80 else text[:80] + "…"
