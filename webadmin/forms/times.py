"""Wall times and lengths of time in form fields, by `rules.time.typed`.

Faults name their field.
"""

from datetime import datetime, timedelta
from math import isfinite
from zoneinfo import ZoneInfo

from scheduler.errors import UnknownZone
from scheduler.rules.time import typed as typed_times
from scheduler.rules.time import zones
from scheduler.rules.time.typed import BadTime
from webadmin.forms.faults import Fault

_REMEDY = "write one such as 2026-12-24 18:00"


def read_moment(text: str, field: str, zone: str) -> datetime:
    """Return the instant of a wall time in `zone`, or of a time with an offset. Raises Fault."""
    try:
        return typed_times.read_instant(
            text, field, plain_zone=lambda: zones.zone(zone.strip()), remedy=_REMEDY, years=None
        )
    except UnknownZone as error:
        raise Fault("timezone", str(error)) from None
    except BadTime as error:
        raise Fault(field, error.beside_field) from None


def shown_moment(at: datetime | None, zone: str) -> str:
    """Return an instant as the text of a date and time input in `zone`.

    The text has an offset if the wall time alone would be ambiguous.
    """
    return "" if at is None else typed_times.written_time(at, ZoneInfo(zone))


def read_seconds(text: str, field: str) -> float:
    """Return a length of time in seconds; accepts seconds, 15m, 2h, 1d. Raises Fault."""
    try:
        seconds = typed_times.read_length(text.replace(" ", ""), field)
        timedelta(seconds=seconds)
    except (ValueError, OverflowError, BadTime):
        seconds = float("nan")
    if not isfinite(seconds) or seconds < 0:
        raise Fault(
            field, f"{text.strip()[:40]!r} is not a length of time. Write seconds, or 15m, 2h, 1d."
        )
    return seconds


def shown_seconds(seconds: float | None) -> str:
    """Return a length of time in the largest whole unit; empty for None."""
    return "" if seconds is None else typed_times.written_length(seconds)
