"""Wall times and lengths of time as text: read from a form's field, and written into one."""

from datetime import UTC, datetime, timedelta
from math import isfinite
from zoneinfo import ZoneInfo

from scheduler.errors import UnknownZone
from scheduler.rules.time import zones
from webadmin.forms.faults import Fault

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def read_moment(text: str, field: str, zone: str) -> datetime:
    """The instant of a wall time in `zone`; with an offset, as it is."""
    try:
        at = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
        if at.tzinfo is not None:
            return at.astimezone(UTC)
        there = zones.zone(zone.strip())
        found = at.replace(tzinfo=there).astimezone(UTC)
    except UnknownZone as error:
        raise Fault("timezone", str(error)) from None
    except (ValueError, OverflowError):
        raise Fault(
            field, f"{text.strip()[:60]!r} is no time. Write one such as 2026-12-24 18:00."
        ) from None
    if found.astimezone(there).replace(tzinfo=None) != at:
        raise Fault(
            field,
            f"{text.strip()} does not exist in {zone}, where the clock goes forward. Choose "
            "another.",
        )
    return found


def shown_moment(at: datetime | None, zone: str) -> str:
    """An instant on the clock of `zone`, as a browser's field for times holds it; with an offset
    where it needs one.
    """
    if at is None:
        return ""
    wall = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    text = wall.isoformat(timespec="auto" if wall.second or wall.microsecond else "minutes")
    clear = wall.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC) == at
    return text if clear else at.astimezone(ZoneInfo(zone)).isoformat()


def read_seconds(text: str, field: str) -> float:
    """A length of time: seconds, or 15m, 2h, 1d."""
    word = text.strip().lower().replace(" ", "")
    unit = _UNITS.get(word[-1:])
    try:
        seconds = float(word[:-1]) * unit if unit else float(word)
        timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        seconds = float("nan")
    if not isfinite(seconds) or seconds < 0:
        raise Fault(
            field, f"{text.strip()[:40]!r} is no length of time. Write seconds, or 15m, 2h, 1d."
        )
    return seconds


def shown_seconds(seconds: float | None) -> str:
    """A length of time in the largest unit that leaves it whole; nothing for none."""
    if seconds is None:
        return ""
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:.0f}{unit}"
    return f"{seconds:.15g}"
