"""The filters in an address -> what is asked of the history. Pure; a value that means nothing is
named, not ignored.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from webadmin.present import STATES, TRIGGERS

TEXTS = ("schedule", "job", "worker", "queue", "parent")
CHOICES = {"state": tuple(STATES), "trigger": tuple(TRIGGERS)}
TIMES = ("since", "until")
FILTERS = (*TEXTS, *CHOICES, *TIMES)
LONGEST = 255

AGO = re.compile(r"([0-9]{1,6})\s*(s|m|min|h|d)")
UNITS = {"s": "seconds", "m": "minutes", "min": "minutes", "h": "hours", "d": "days"}
TIME_REMEDY = "Write 24h or 7d for how long ago, or 2026-11-21 06:00 for a time in UTC."


@dataclass(frozen=True)
class ParsedFilters:
    """What was typed, what it means, and what is wrong with it, each by the filter's name."""

    typed: dict[str, str]
    meant: dict[str, str | datetime]
    faults: dict[str, str]


def asked(query: Mapping[str, str], now: datetime) -> ParsedFilters:
    """Read the filters. Those with faults are left out of what is meant."""
    typed = {name: query[name].strip() for name in FILTERS if query.get(name, "").strip()}
    meant: dict[str, str | datetime] = {}
    faults: dict[str, str] = {}
    for name, text in typed.items():
        try:
            meant[name] = _value(name, text, now)
        except ValueError as error:
            faults[name] = str(error)
    since, until = meant.get("since"), meant.get("until")
    if isinstance(since, datetime) and isinstance(until, datetime) and since > until:
        faults["until"] = "This is before the time in ‘Since’. Swap the two."
        del meant["until"]
    return ParsedFilters(typed, meant, faults)


def _value(name: str, text: str, now: datetime) -> str | datetime:
    if len(text) > LONGEST:
        raise ValueError(f"This is {len(text)} characters long; no name has more than {LONGEST}.")
    if name in TIMES:
        return moment(text, now)
    if name in CHOICES and text not in CHOICES[name]:
        raise ValueError(f"There is no {name} {text!r}. Choose one of the list.")
    return text


def moment_ahead(text: str, now: datetime) -> datetime:
    """A time to come: so long from now, or an ISO 8601 time, in UTC where it names no zone."""
    ahead = AGO.fullmatch(text)
    try:
        at = now + timedelta(**{UNITS[ahead[2]]: int(ahead[1])}) if ahead else moment(text, now)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text[:60]!r} is not a time. Write 2h or 3d, or 2026-11-21 06:00 for a time in UTC."
        ) from None
    if at <= now:
        raise ValueError(f"{text[:60]!r} has passed. Name a time to come, or leave it empty.")
    return at


def moment(text: str, now: datetime) -> datetime:
    """A time: so long ago, or an ISO 8601 time, in UTC where it names no zone."""
    ago = AGO.fullmatch(text)
    try:
        if ago:
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        at = datetime.fromisoformat(text.removesuffix(" UTC"))
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:60]!r} is not a time. {TIME_REMEDY}") from None
